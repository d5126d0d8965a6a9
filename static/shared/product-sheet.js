/**
 * `<product-sheet>`: a product with its variants, price, units left and *Buy*; on its own page and in the viewer's sheet.
 *
 * `.product` may still be loading when `.anchor` (a room's terms) is known. `.stock` maps variant ids to what is left in the
 * room; `.line` is the room's waiting line, with its `.standings`. `.selling`: holds are taken now, else `.closed` says why not.
 * `.stale`: counts are old, a tap waits. `.clockOffset`: the server's clock minus this device's, in ms. Fires `buy`
 * {variant, quantity}; the page answers with `result({hold})` or `result({error})`.
 */

import { css, html, LitElement, nothing } from "lit";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { controls } from "./controls.js";
import { isSoldOut, offersOf } from "./offers.js";
import { problem } from "./page-states.js";
import "./hold-card.js";
import "./icon.js";
import "./line-place.js";
import "./price-tag.js";
import "./product-gallery.js";
import "./quantity-stepper.js";
import "./stock-badge.js";
import "./variant-picker.js";

/** @import {ApiError} from "./api.js" */
/** @import {Anchor, Hold, Product, StockState} from "./messages.js" */
/** @import {Offer} from "./offers.js" */
/** @import {Standing, WaitingLine} from "./waiting-line.js" */

export class ProductSheet extends LitElement {
  static properties = {
    product: { attribute: false },
    anchor: { attribute: false },
    stock: { attribute: false },
    line: { attribute: false },
    standings: { attribute: false },
    selling: { type: Boolean },
    closed: {},
    stale: { type: Boolean },
    clockOffset: { type: Number, attribute: "now-offset" },
    chosen: { state: true },
    quantity: { state: true },
    pending: { state: true },
    hold: { state: true },
    problem: { state: true },
  };

  static styles = [
    controls,
    css`
      :host { container-type: inline-size; }
      article { display: grid; gap: var(--space-5); }
      .facts { display: grid; gap: var(--space-5); align-content: start; min-width: 0; }
      .title { display: grid; gap: var(--space-2); }
      .shop { color: var(--color-muted); font-size: var(--text-s); font-weight: 580; }
      .price { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: var(--space-2) var(--space-4); }
      price-tag { font-size: var(--text-xl); }
      .mode { display: flex; flex-basis: 100%; gap: var(--space-2); color: var(--color-warn); font-size: var(--text-s); line-height: 1.4; }
      .buy { display: grid; gap: var(--space-3); }
      .buy .line { display: flex; gap: var(--space-3); }
      .buy .primary { flex: 1; min-height: 3.125rem; font-size: var(--text-l); }
      .description { color: var(--color-muted); overflow-wrap: anywhere; }
      .description > :first-child { margin-top: 0; }
      .description :is(p, ul, ol) { margin: var(--space-3) 0; }
      .description :is(ul, ol) { padding-left: 1.25rem; }
      @container (max-width: 45.99rem) {
        .buy {
          position: sticky; z-index: 2; bottom: 0; margin-inline: calc(-1 * var(--sheet-inset, var(--space-4)));
          padding: var(--space-3) var(--sheet-inset, var(--space-4)) max(var(--space-3), env(safe-area-inset-bottom));
          background: var(--sheet-surface, var(--color-page)); border-top: 1px solid var(--color-line);
        }
      }
      @container (min-width: 46rem) {
        article { grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr); gap: var(--space-7); }
        .facts { padding-top: var(--space-3); }
        .title h1 { font-size: 2.125rem; }
      }
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
    /** @type {WaitingLine | null} */
    this.line = null;
    /** @type {Map<string, Standing>} */
    this.standings = new Map();
    this.selling = true;
    this.closed = "This is not on sale right now.";
    this.stale = false;
    this.clockOffset = 0;
    this.chosen = "";
    this.quantity = 1;
    this.pending = false;
    /** @type {Hold | null} */
    this.hold = null;
    this.problem = "";
  }

  /** @param {{hold?: Hold, error?: Pick<ApiError, "message">}} answer */
  result({ hold, error }) {
    this.pending = false;
    this.hold = hold ?? null;
    this.problem = error?.message ?? "";
  }

  /** A purchase is on its way (also one that a reload found unanswered). @param {{variant: string, quantity: number}} request */
  waiting({ variant, quantity }) {
    Object.assign(this, { chosen: variant, quantity, pending: true, problem: "", hold: null });
  }

  get #offers() {
    return offersOf(this.product, this.anchor, this.stock);
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    const offers = this.#offers;
    const other = changed.has("anchor") || changed.has("product");
    if (other && !offers.some(({ id }) => id === this.chosen)) {
      Object.assign(this, { hold: null, problem: "", pending: false });
      this.#choose((offers.find((offer) => !isSoldOut(offer)) ?? offers[0])?.id ?? "");
    }
    const offer = this.#offer;
    if (offer && !this.pending) this.quantity = Math.max(1, Math.min(this.quantity, most(offer)));
  }

  get #offer() {
    return this.#offers.find(({ id }) => id === this.chosen);
  }

  /** @param {string} variant */
  #choose(variant) {
    this.chosen = variant;
    this.quantity = 1;
    this.problem = "";
  }

  #buy() {
    if (this.pending || !this.#offer) return;
    const detail = { variant: this.chosen, quantity: this.quantity };
    this.waiting(detail);
    this.dispatchEvent(new CustomEvent("buy", { detail }));
  }

  get #isFirstPaid() {
    return this.anchor?.mode === "first_paid";
  }

  #pictures() {
    const name = this.product?.title ?? this.anchor?.title ?? "";
    const image = this.anchor?.image;
    const preview = { id: "", alt: name, width: 640, height: 640, small: image, medium: image, large: image };
    const images = this.product?.images ?? (image ? [preview] : []);
    return html`<product-gallery .images=${images} .name=${name}></product-gallery>`;
  }

  #title() {
    const shop = this.product?.shop.name ?? this.anchor?.shop.name;
    const vendor = this.product?.vendor;
    return html`<div class="title">
      <h1>${this.product?.title ?? this.anchor?.title}</h1>
      <p class="shop">${vendor && vendor !== shop ? `${vendor} · ${shop}` : shop}</p>
    </div>`;
  }

  /** @param {Offer} offer */
  #price(offer) {
    const currency = this.anchor?.currency ?? this.product?.shop.currency;
    return html`<div class="price">
      <price-tag .amount=${offer.price} .compareAt=${offer.compareAt} .currency=${currency}></price-tag>
      <stock-badge .available=${offer.left} .waiting=${offer.waiting} .stale=${this.stale}></stock-badge>
      ${this.#isFirstPaid ? html`<p class="mode"><ui-icon name="zap"></ui-icon><span><strong>First paid, first served.</strong> Nothing is set aside until you pay.</span></p>` : nothing}
    </div>`;
  }

  /** @param {Offer} offer */
  #purchase(offer) {
    if (this.hold) {
      return html`<div class="buy"><hold-card .hold=${this.hold} .shop=${this.#shop} .nowOffset=${this.clockOffset}
        @again=${() => this.result({})}></hold-card></div>`;
    }
    const standing = this.standings.get(offer.id);
    const canWait = isSoldOut(offer) && this.line?.isOpen === true;
    const isInLine = standing !== undefined && standing.state !== "passed" && standing.state !== "refused";
    return html`<div class="buy">
      ${problem(this.problem)}
      ${this.selling ? nothing : html`<p class="notice"><ui-icon name="clock"></ui-icon><span>${this.closed}</span></p>`}
      ${
        standing || canWait
          ? html`<line-place .line=${this.line} .variant=${offer.id} .standing=${standing} .open=${canWait} .stale=${this.stale} .shop=${this.#shop} .clockOffset=${this.clockOffset}></line-place>`
          : nothing
      }
      ${canWait || isInLine ? nothing : this.#buttons(offer)}
    </div>`;
  }

  get #shop() {
    return this.anchor?.shop.id ?? this.product?.shop.id ?? "";
  }

  /** @param {Offer} offer */
  #buttons(offer) {
    const out = isSoldOut(offer);
    const max = most(offer);
    return html`<div class="line">
        ${max > 1 && this.selling ? html`<quantity-stepper .value=${this.quantity} .max=${max} .disabled=${this.pending} @choose=${(/** @type {CustomEvent<number>} */ event) => (this.quantity = event.detail)}></quantity-stepper>` : nothing}
        <button type="button" class="button primary" ?disabled=${out || !this.selling} aria-disabled=${this.pending} @click=${this.#buy}>${this.#label(out)}</button>
      </div>`;
  }

  /** @param {boolean} out */
  #label(out) {
    if (this.pending) return this.stale ? "Waiting for the connection…" : "One moment…";
    if (out) return "Sold out";
    return this.#isFirstPaid ? "Buy now" : "Buy";
  }

  #description() {
    const text = this.product?.description;
    return text ? html`<div class="description">${unsafeHTML(text)}</div>` : nothing; // sanitised by the server before it was kept
  }

  render() {
    const offers = this.#offers;
    const offer = this.#offer;
    if (!offer) return nothing;
    const options = offers.length > 1 ? (this.anchor?.options ?? this.product?.options ?? []) : [];
    return html`<article>
      ${this.#pictures()}
      <div class="facts">
        ${this.#title()} ${this.#price(offer)}
        <variant-picker ?hidden=${options.length === 0} .options=${options} .offers=${offers} .chosen=${this.chosen}
          @choose=${(/** @type {CustomEvent<string>} */ event) => this.#choose(event.detail)}></variant-picker>
        ${this.#purchase(offer)} ${this.#description()}
      </div>
    </article>`;
  }
}

/** How many of it one tap may ask for. @param {Offer} offer */
function most(offer) {
  return Math.min(offer.limit, offer.left ?? offer.limit);
}

customElements.define("product-sheet", ProductSheet);
