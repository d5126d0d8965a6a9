/**
 * `<product-card .anchor .product .stock .stale layout="row|tile" href>`: one product in a shelf, a pin or a list. The same
 * properties as `<product-sheet>`. The default slot stands at the end, for a button; without `href` the card is no link.
 */

import { css, html, LitElement, nothing } from "lit";
import { controls } from "./controls.js";
import { cheapest, offersOf, totalLeft, totalWaiting } from "./offers.js";
import "./icon.js";
import "./price-tag.js";
import "./stock-badge.js";

/** @import {Anchor, Product, StockState} from "./messages.js" */

class ProductCard extends LitElement {
  static properties = {
    product: { attribute: false },
    anchor: { attribute: false },
    stock: { attribute: false },
    stale: { type: Boolean },
    layout: { reflect: true },
    href: {},
    soldOut: { type: Boolean, reflect: true, attribute: "sold-out" },
  };

  static styles = [
    controls,
    css`
      :host { position: relative; min-width: 0; color: var(--color-ink); }
      article { display: grid; grid-template-columns: 4.5rem minmax(0, 1fr) auto; gap: 0 var(--space-3); align-items: center; }
      .picture { aspect-ratio: 1; border-radius: var(--radius-m); background: var(--color-sunken); overflow: hidden; }
      .picture img { width: 100%; height: 100%; object-fit: cover; }
      .picture ui-icon { display: block; width: 100%; height: 100%; color: var(--color-line); transform: scale(0.4); }
      .words { display: grid; gap: 0.125rem; min-width: 0; }
      h3 {
        display: -webkit-box; overflow: hidden; -webkit-box-orient: vertical; -webkit-line-clamp: 2;
        font-size: var(--text-m); font-weight: 620; line-height: 1.25; letter-spacing: -0.01em; text-wrap: pretty;
      }
      h3 a { text-decoration: none; }
      h3 a::after { content: ""; position: absolute; inset: 0; border-radius: var(--radius-m); }
      h3 a:focus-visible { outline: none; }
      h3 a:focus-visible::after { outline: 3px solid var(--color-focus); outline-offset: 2px; }
      .mode { color: var(--color-warn); font-size: var(--text-s); font-weight: 580; line-height: 1.3; }
      ::slotted(*) { position: relative; z-index: 1; }
      :host([sold-out]) .picture { filter: grayscale(0.9); opacity: 0.6; }
      :host([sold-out]) price-tag { opacity: 0.7; }

      :host([layout="tile"]) article { grid-template-columns: minmax(0, 1fr); gap: var(--space-3); align-items: start; }
      :host([layout="tile"]) .picture { border-radius: var(--radius-l); }
    `,
  ];

  constructor() {
    super();
    /** @type {Product | null} */
    this.product = null;
    /** @type {Anchor | null} */
    this.anchor = null;
    /** @type {Map<string, StockState> | null} */
    this.stock = null;
    this.stale = false;
    this.layout = "row";
    this.href = "";
    this.soldOut = false;
  }

  willUpdate() {
    this.soldOut = totalLeft(this.#offers) === 0;
  }

  get #offers() {
    return offersOf(this.product, this.anchor, this.stock);
  }

  get #image() {
    if (this.anchor) return this.anchor.image;
    return this.product?.images[0]?.medium ?? null;
  }

  #picture() {
    return this.#image
      ? html`<img src=${this.#image} alt="" loading="lazy" width="320" height="320" />`
      : html`<ui-icon name="image"></ui-icon>`;
  }

  #words() {
    const title = this.anchor?.title ?? this.product?.title ?? "";
    const best = cheapest(this.#offers);
    const currency = this.anchor?.currency ?? this.product?.shop.currency ?? "";
    return html`
      <h3>${this.href ? html`<a href=${this.href}>${title}</a>` : title}</h3>
      ${best ? html`<price-tag .amount=${best.offer.price} .compareAt=${best.offer.compareAt} .currency=${currency} .from=${best.varies}></price-tag>` : nothing}
      <stock-badge .available=${totalLeft(this.#offers)} .waiting=${totalWaiting(this.#offers)} .stale=${this.stale}></stock-badge>
      ${this.stock && this.anchor?.mode === "first_paid" ? html`<span class="mode">First paid, first served</span>` : nothing}`;
  }

  render() {
    return html`<article>
      <div class="picture">${this.#picture()}</div>
      <div class="words">${this.#words()}</div>
      <slot></slot>
    </article>`;
  }
}

customElements.define("product-card", ProductCard);
