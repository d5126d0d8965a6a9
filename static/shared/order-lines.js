/** `<order-lines .order>`: what was ordered and what it costs; lost lines stay, struck through. */

import { css, html, LitElement, nothing } from "lit";
import { controls } from "./controls.js";
import { money } from "./format.js";

/** @import {Order, OrderLine} from "./messages.js" */

const NOTES = { open: "", sold: "", gone: "No longer available, not charged", returned: "Back on sale" };

class OrderLines extends LitElement {
  static properties = { order: { attribute: false } };

  static styles = [
    controls,
    css`
      li { display: grid; grid-template-columns: 4rem minmax(0, 1fr) auto; gap: 0 var(--space-4); align-items: start; padding-bottom: var(--space-4); }
      .picture { aspect-ratio: 1; border-radius: var(--radius-m); background: var(--color-sunken); overflow: hidden; }
      .picture img { width: 100%; height: 100%; object-fit: cover; }
      h3 { font-size: var(--text-m); font-weight: 620; line-height: 1.3; }
      h3 a { text-decoration: none; }
      h3 a:hover { text-decoration: underline; }
      .price { font-weight: 640; }
      .gone .picture { filter: grayscale(0.9); opacity: 0.6; }
      .gone :is(h3, .price) { color: var(--color-muted); text-decoration: line-through; }
      .note { color: var(--color-bad); font-size: var(--text-s); font-weight: 560; }
      dl { display: grid; gap: var(--space-2); padding-top: var(--space-4); border-top: 1px solid var(--color-line); }
      dl div { display: flex; justify-content: space-between; }
      .total { padding-top: var(--space-2); font-size: var(--text-l); font-weight: 720; }
    `,
  ];

  constructor() {
    super();
    /** @type {Order | null} */
    this.order = null;
  }

  /** @param {OrderLine} line @param {string} currency */
  #line(line, currency) {
    const note = NOTES[line.status];
    return html`<li class=${line.status}>
      <div class="picture">${line.image ? html`<img src=${line.image} alt="" loading="lazy" />` : nothing}</div>
      <div>
        <h3><a href="/products/${line.product}">${line.title}</a></h3>
        <p class="muted small number">${line.variant_title ? `${line.variant_title} · ` : nothing}${line.quantity} × ${money(line.price, currency)}</p>
        ${note ? html`<p class="note">${note}</p>` : nothing}
      </div>
      <span class="price number">${money(line.price * line.quantity, currency)}</span>
    </li>`;
  }

  render() {
    if (!this.order) return nothing;
    const { currency, lines, subtotal, shipping, total } = this.order;
    return html`<ul role="list">${lines.map((line) => this.#line(line, currency))}</ul>
      <dl class="number">
        <div><dt>Items</dt><dd>${money(subtotal, currency)}</dd></div>
        <div><dt>Shipping</dt><dd>${shipping > 0 ? money(shipping, currency) : "Free"}</dd></div>
        <div class="total"><dt>Total</dt><dd>${money(total, currency)}</dd></div>
      </dl>`;
  }
}

customElements.define("order-lines", OrderLines);
