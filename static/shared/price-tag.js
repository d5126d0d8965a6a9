/** `<price-tag amount="4900" compare-at="6500" currency="EUR" from>`: a price, and what it was before. */

import { css, html, LitElement, nothing } from "lit";
import { money } from "./format.js";

class PriceTag extends LitElement {
  static properties = {
    amount: { type: Number },
    compareAt: { type: Number, attribute: "compare-at" },
    currency: {},
    from: { type: Boolean },
  };

  static styles = css`
    :host { display: inline-flex; flex-wrap: wrap; align-items: baseline; gap: 0 0.45em; font-variant-numeric: tabular-nums; }
    .now { font-weight: 720; }
    .from { font-weight: 500; color: var(--color-muted); }
    s { color: var(--color-muted); font-size: 0.85em; font-weight: 480; }
    .visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  `;

  constructor() {
    super();
    this.amount = 0;
    /** @type {number | null} */
    this.compareAt = null;
    this.currency = "";
    this.from = false;
  }

  render() {
    if (!this.currency) return nothing;
    const from = this.from ? html`<span class="from">from </span>` : nothing;
    const before = this.compareAt
      ? html`<s><span class="visually-hidden">before </span>${money(this.compareAt, this.currency)}</s>`
      : nothing;
    return html`<span class="now">${from}${money(this.amount, this.currency)}</span>${before}`;
  }
}

customElements.define("price-tag", PriceTag);
