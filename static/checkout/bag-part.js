/**
 * `<bag-part .contents .clockOffset>`: what is set aside from one shop, until when, and what it costs. Fires `remove` with the hold's
 * id as `detail`.
 */

import { css, html, LitElement, nothing } from "lit";
import { controls } from "../shared/controls.js";
import { money } from "../shared/format.js";
import { isLiving } from "../shared/hold-tokens.js";
import "../shared/hold-timer.js";
import "../shared/icon.js";

/** @import {BagItem, BagPart as Part} from "../shared/messages.js" */

const GONE = {
  expired: "Your hold expired: the time was up, so it went back on sale.",
  released: "You took this out of your bag.",
  sold: "Already ordered.",
  returned: "Already ordered, and given back.",
};

/** The part's money, counting only what can be checked out. @param {Part} part */
export function totals(part) {
  const living = part.items.filter(isLiving);
  const subtotal = living.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
  const shipping = living.length > 0 ? part.shop.shipping : 0;
  return { living, subtotal, shipping, total: subtotal + shipping };
}

/** @param {BagItem} item */
function productPage({ product, source }) {
  return source.room ? `/products/${product}?room=${source.room}` : `/products/${product}`;
}

class BagPart extends LitElement {
  static properties = { contents: { attribute: false }, clockOffset: { type: Number }, busy: { attribute: false } };

  static styles = [
    controls,
    css`
      li { display: grid; grid-template-columns: 5rem minmax(0, 1fr) auto; gap: 0 var(--space-4); padding-block: var(--space-4); border-top: 1px solid var(--color-line); }
      li:first-child { border-top: 0; padding-top: 0; }
      .picture { aspect-ratio: 1; border-radius: var(--radius-m); background: var(--color-sunken); overflow: hidden; }
      .picture img { width: 100%; height: 100%; object-fit: cover; }
      .gone .picture { filter: grayscale(0.9); opacity: 0.6; }
      h3 { font-size: var(--text-m); font-weight: 620; line-height: 1.3; }
      h3 a { text-decoration: none; }
      h3 a:hover { text-decoration: underline; }
      .price { font-weight: 640; }
      .timer { display: flex; align-items: center; gap: 0.375rem; margin-top: var(--space-2); font-size: var(--text-s); }
      .wanted { align-items: flex-start; color: var(--color-warn); line-height: 1.4; }
      .icon-button { margin: -0.5rem -0.75rem 0 0; }
      .end { display: grid; justify-items: end; align-content: space-between; }
      .gone .words { grid-column: 2 / -1; }
      .gone .row { margin-top: var(--space-2); }
      dl { display: grid; gap: var(--space-2); padding-top: var(--space-4); border-top: 1px solid var(--color-line); }
      dl div { display: flex; justify-content: space-between; }
      .total { padding-top: var(--space-2); font-size: var(--text-l); font-weight: 720; }
    `,
  ];

  constructor() {
    super();
    /** @type {Part | null} */
    this.contents = null;
    this.clockOffset = 0;
    /** Holds being taken out. @type {Set<string>} */
    this.busy = new Set();
  }

  /** @param {BagItem} item */
  #words(item) {
    return html`<h3><a href=${productPage(item)}>${item.title}</a></h3>
      ${item.variant_title ? html`<p class="muted small">${item.variant_title}</p>` : nothing}`;
  }

  /** @param {BagItem} item */
  #picture({ image }) {
    return html`<div class="picture">${image ? html`<img src=${image} alt="" />` : nothing}</div>`;
  }

  /** @param {BagItem} item @param {string} currency */
  #living(item, currency) {
    return html`<li>
      ${this.#picture(item)}
      <div>
        ${this.#words(item)}
        <p class="muted small number">${item.quantity} × ${money(item.price, currency)}</p>
        ${this.#until(item)}
      </div>
      <div class="end">
        <button type="button" class="icon-button" aria-label="Remove ${item.title}" ?disabled=${this.busy.has(item.hold)}
          @click=${() => this.dispatchEvent(new CustomEvent("remove", { detail: item.hold }))}><ui-icon name="trash-2"></ui-icon></button>
        <span class="price number">${money(item.price * item.quantity, currency)}</span>
      </div>
    </li>`;
  }

  /** @param {BagItem} item */
  #until({ deadline, status }) {
    const timer = html`<hold-timer .deadline=${deadline} .nowOffset=${this.clockOffset}></hold-timer>`;
    return status === "held"
      ? html`<p class="timer"><ui-icon name="timer"></ui-icon><span>Yours for ${timer}</span></p>`
      : html`<p class="timer wanted"><ui-icon name="zap"></ui-icon><span>Not set aside: whoever pays first gets it. Price stands for ${timer}</span></p>`;
  }

  /** @param {BagItem} item */
  #gone(item) {
    const words = GONE[/** @type {keyof typeof GONE} */ (item.status)];
    return html`<li class="gone">
      ${this.#picture(item)}
      <div class="words">
        ${this.#words(item)}
        <p class="small" role="status">${words}</p>
        <p class="row"><a class="button small" href=${productPage(item)}>See if some are left</a></p>
      </div>
    </li>`;
  }

  render() {
    if (!this.contents) return nothing;
    const { currency, items, shop } = this.contents;
    const { living, subtotal, shipping, total } = totals(this.contents);
    return html`<ul role="list">${items.map((item) => (isLiving(item) ? this.#living(item, currency) : this.#gone(item)))}</ul>
      ${
        living.length > 0
          ? html`<dl class="number">
            <div><dt>Items</dt><dd>${money(subtotal, currency)}</dd></div>
            <div><dt>Shipping by ${shop.name}</dt><dd>${shipping > 0 ? money(shipping, currency) : "Free"}</dd></div>
            <div class="total"><dt>Total</dt><dd>${money(total, currency)}</dd></div>
          </dl>`
          : nothing
      }`;
  }
}

customElements.define("bag-part", BagPart);
