/** `<line-bar .line .standings .anchors room>`: the places in line of this viewer, each a way to its product. */

import { css, html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { controls } from "../shared/controls.js";
import { count } from "../shared/format.js";
import "../shared/icon.js";
import { anchorOf, nameOf } from "../shared/offers.js";
import { productPath } from "./links.js";

/** @import {Anchor} from "../shared/messages.js" */
/** @import {Standing, WaitingLine} from "../shared/waiting-line.js" */

class LineBar extends LitElement {
  static properties = {
    line: { attribute: false },
    standings: { attribute: false },
    anchors: { attribute: false },
    room: {},
  };

  static styles = [
    controls,
    css`
      ul { display: grid; gap: var(--space-2); padding: var(--space-2) var(--space-4) 0; }
      li { display: flex; align-items: center; border-radius: var(--radius-l); background: var(--color-surface); color: var(--color-ink); font-size: var(--text-s); line-height: 1.3; }
      a, .words { display: flex; flex: 1; gap: var(--space-2); align-items: center; min-height: var(--touch); min-width: 0; padding: var(--space-2) var(--space-4); text-decoration: none; }
      a ui-icon:last-child { margin-inline-start: auto; }
    `,
  ];

  constructor() {
    super();
    /** @type {WaitingLine | null} */
    this.line = null;
    /** @type {Map<string, Standing>} */
    this.standings = new Map();
    /** @type {Anchor[]} */
    this.anchors = [];
    this.room = "";
  }

  render() {
    const rows = [...this.standings].filter(([, { state }]) => state !== "turn");
    const list = repeat(
      rows,
      ([variant]) => variant,
      ([variant, standing]) => this.#row(variant, standing),
    );
    return html`<div aria-live="polite">${rows.length > 0 ? html`<ul role="list" aria-label="Your places in line">${list}</ul>` : nothing}</div>`;
  }

  /** @param {string} variant @param {Standing} standing */
  #row(variant, standing) {
    const anchor = anchorOf(this.anchors, variant);
    const isOver = standing.state === "passed" || standing.state === "refused";
    const text = words(standing, nameOf(anchor, variant));
    return html`<li>
      ${anchor ? html`<a href=${productPath(anchor.product, this.room)}>${content(text, isOver)}</a>` : html`<span class="words">${content(text, true)}</span>`}
      ${isOver ? html`<button type="button" class="icon-button" aria-label="Dismiss" @click=${() => this.line?.dismiss(variant)}><ui-icon name="x"></ui-icon></button>` : nothing}
    </li>`;
  }
}

/** @param {string} text @param {boolean} isOver */
function content(text, isOver) {
  return html`<ui-icon name=${isOver ? "info" : "hourglass"}></ui-icon><span>${text}</span>${isOver ? nothing : html`<ui-icon name="chevron-right"></ui-icon>`}`;
}

/** @param {Standing} standing @param {string} name */
function words(standing, name) {
  if (standing.state === "waiting") return `You are number ${count(standing.place)} in line for ${name}`;
  if (standing.state === "passed") return `Your turn for ${name} has passed`;
  if (standing.state === "refused") return standing.message;
  return `Joining the line for ${name} …`;
}

customElements.define("line-bar", LineBar);
