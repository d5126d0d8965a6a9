/** `<pinned-products .anchors .stock .selling .stale room>`: up to three pinned products, newest first, one swipe apart. */

import { css, html, LitElement } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { controls } from "../shared/controls.js";
import "../shared/product-card.js";
import { buyLink, productPath } from "./links.js";

/** @import {Anchor, StockState} from "../shared/messages.js" */

class PinnedProducts extends LitElement {
  static properties = {
    anchors: { attribute: false },
    stock: { attribute: false },
    room: {},
    selling: { type: Boolean },
    stale: { type: Boolean },
    news: { state: true },
  };

  static styles = [
    controls,
    css`
      ul { display: flex; gap: var(--space-2); padding: var(--space-2) var(--space-4); overflow-x: auto; scroll-snap-type: x mandatory; scroll-padding-inline: var(--space-4); scrollbar-width: none; }
      ul::-webkit-scrollbar { display: none; }
      li { display: grid; flex: 0 0 86%; align-items: center; min-width: 0; padding: var(--space-2) var(--space-3) var(--space-2) var(--space-2); border-radius: var(--radius-l); background: var(--color-surface); box-shadow: var(--shadow-float); scroll-snap-align: start; animation: arrive 420ms var(--ease); }
      li:only-child { flex-basis: 100%; }
      product-card > .button { position: relative; z-index: 1; }
      @keyframes arrive { from { opacity: 0; transform: translateY(1.25rem) scale(0.98); } }
      @media (prefers-reduced-motion: no-preference) {
        ul { scroll-behavior: smooth; }
      }
    `,
  ];

  constructor() {
    super();
    /** @type {Anchor[]} newest first */
    this.anchors = [];
    /** @type {Map<string, StockState> | null} */
    this.stock = null;
    this.room = "";
    this.selling = false;
    this.stale = false;
    this.news = "";
    /** @type {Anchor | undefined} */
    this.newest = undefined;
  }

  willUpdate() {
    const newest = this.anchors[0];
    if (newest && this.newest && newest.id !== this.newest.id) this.news = `Pinned now: ${newest.title}`;
  }

  updated() {
    const list = this.renderRoot.querySelector("ul");
    if (list && this.anchors[0]?.id !== this.newest?.id) list.scrollLeft = 0;
    this.newest = this.anchors[0];
  }

  render() {
    return html`
      <h2 class="visually-hidden" id="pinned">Pinned products</h2>
      <ul role="list" aria-labelledby="pinned">${repeat(
        this.anchors,
        (anchor) => anchor.id,
        (anchor) => html`
          <li>
            <product-card .anchor=${anchor} .stock=${this.stock} ?stale=${this.stale} href=${productPath(anchor.product, this.room)}>
              ${buyLink(anchor, this.room, this.stock, this.selling)}
            </product-card>
          </li>
        `,
      )}</ul>
      <p class="visually-hidden" role="status">${this.news}</p>
    `;
  }
}

customElements.define("pinned-products", PinnedProducts);
