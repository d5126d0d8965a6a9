/** `<room-shelf .anchors .pinned .stock .selling .stale room>`: the whole line-up. */

import { css, html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { controls } from "../shared/controls.js";
import "../shared/icon.js";
import "../shared/product-card.js";
import { buyLink, productPath } from "./links.js";

/** @import {Anchor, StockState} from "../shared/messages.js" */

class RoomShelf extends LitElement {
  static properties = {
    anchors: { attribute: false },
    pinned: { attribute: false },
    stock: { attribute: false },
    room: {},
    selling: { type: Boolean },
    stale: { type: Boolean },
  };

  static styles = [
    controls,
    css`
      li { padding-block: var(--space-3); border-top: 1px solid var(--color-line); }
      li:first-child { border-top: 0; }
      product-card > .button { position: relative; z-index: 1; }
      .pinned { display: inline-flex; gap: var(--space-1); align-items: center; margin-bottom: var(--space-1); color: var(--color-accent); font-size: var(--text-xs); font-weight: 680; }
    `,
  ];

  constructor() {
    super();
    /** @type {Anchor[]} */
    this.anchors = [];
    /** @type {Set<string>} */
    this.pinned = new Set();
    /** @type {Map<string, StockState> | null} */
    this.stock = null;
    this.room = "";
    this.selling = false;
    this.stale = false;
  }

  render() {
    if (this.anchors.length === 0) {
      return html`<div class="empty"><p>No products yet. They appear here as soon as the host adds them.</p></div>`;
    }
    return html`<ol role="list">${repeat(
      this.anchors,
      (anchor) => anchor.id,
      (anchor) => this.#anchor(anchor),
    )}</ol>`;
  }

  /** @param {Anchor} anchor */
  #anchor(anchor) {
    return html`
      <li>
        ${this.pinned.has(anchor.id) ? html`<span class="pinned"><ui-icon name="pin"></ui-icon>Pinned now</span>` : nothing}
        <product-card .anchor=${anchor} .stock=${this.stock} ?stale=${this.stale} href=${productPath(anchor.product, this.room)}>
          ${buyLink(anchor, this.room, this.stock, this.selling)}
        </product-card>
      </li>
    `;
  }
}

customElements.define("room-shelf", RoomShelf);
