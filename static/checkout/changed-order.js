/**
 * `<changed-order .order .wanted .busy>`: what was lost before payment and what is left to pay; `.wanted` are the variants
 * that were not set aside. Fires `pay`. Slot: a problem.
 */

import { css, html, LitElement, nothing } from "lit";
import { controls } from "../shared/controls.js";
import { money } from "../shared/format.js";
import "../shared/order-lines.js";

/** @import {Order, OrderLine} from "../shared/messages.js" */

class ChangedOrder extends LitElement {
  static properties = { order: { attribute: false }, wanted: { attribute: false }, busy: { type: Boolean } };

  static styles = [
    controls,
    css`
      :host { max-width: 40rem; margin-inline: auto; }
      .stack { gap: var(--space-5); margin-top: var(--space-4); }
      h1 { font-size: var(--text-3xl); }
    `,
  ];

  constructor() {
    super();
    /** @type {Order | null} */
    this.order = null;
    /** @type {Set<string>} */
    this.wanted = new Set();
    this.busy = false;
  }

  #pay() {
    if (!this.busy) this.dispatchEvent(new Event("pay"));
  }

  /** @param {OrderLine} line */
  #why({ title, variant }) {
    if (this.wanted.has(variant)) return `${title}: somebody else paid first, and none is left. `;
    return `${title}: your hold was over, and no unit was left to take again. `;
  }

  render() {
    if (!this.order) return nothing;
    const { lines, status, total, currency } = this.order;
    const lost = lines.filter((line) => line.status === "gone");
    const payable = status === "pending" && lost.length < lines.length;
    return html`<div class="stack" role="alert">
      <h1>Your order has changed</h1>
      <p>${lost.map((line) => this.#why(line))}Nothing has been charged.</p>
      <section class="card"><h2 class="visually-hidden">Items</h2><order-lines .order=${this.order}></order-lines></section>
      <slot></slot>
      ${payable ? html`<button type="button" class="button primary wide" aria-disabled=${this.busy} @click=${this.#pay}>${this.busy ? "One moment…" : `Pay ${money(total, currency)} instead`}</button>` : nothing}
      <a class="button quiet wide" href="/">${payable ? "Do not buy" : "See who is live"}</a>
    </div>`;
  }
}

customElements.define("changed-order", ChangedOrder);
