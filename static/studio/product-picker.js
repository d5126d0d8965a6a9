import { css, html, LitElement, nothing } from "lit";
import { get, post } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import "../shared/dialog.js";
import "./terms-form.js";
import { told } from "./told.js";

/** @import {AnchorChange, Product} from "../shared/messages.js" */

const DEFAULT_LIMIT = 5;

/** Chooses a product from one's shops and its terms, and puts it into the line-up. Fires `lineup` with the new LineUp. */
export class ProductPicker extends LitElement {
  static properties = {
    room: {},
    taken: { attribute: false },
    open: { state: true },
    products: { state: true },
    chosen: { state: true },
    busy: { state: true },
  };

  static styles = [
    controls,
    css`
      ul { display: grid; gap: var(--space-1); margin: 0; padding: 0; list-style: none; }
      li button { display: grid; grid-template-columns: 3rem 1fr; gap: var(--space-3); align-items: center; width: 100%; padding: var(--space-2); border: 0; border-radius: var(--radius-m); background: none; color: inherit; font: inherit; text-align: start; cursor: pointer; }
      li button:hover { background: var(--color-sunken); }
      img, .blank { width: 3rem; height: 3rem; border-radius: var(--radius-s); object-fit: cover; background: var(--color-sunken); }
      small { display: block; color: var(--color-muted); }
      p { margin: 0; }
    `,
  ];

  constructor() {
    super();
    this.room = "";
    /** @type {Set<string>} products that are in the line-up already */
    this.taken = new Set();
    this.open = false;
    /** @type {Product[] | null} */
    this.products = null;
    /** @type {Product | null} */
    this.chosen = null;
    this.busy = false;
  }

  async show() {
    this.chosen = null;
    this.products = null;
    this.open = true;
    this.products = await told(myProducts());
  }

  /** @param {CustomEvent<AnchorChange>} event */
  #add = async (event) => {
    this.busy = true;
    const lineup = await told(post(`rooms/${this.room}/anchors`, { product: this.chosen?.id, ...event.detail }));
    this.busy = false;
    if (!lineup) return;
    this.open = false;
    this.dispatchEvent(new CustomEvent("lineup", { detail: lineup }));
  };

  render() {
    return html`
      <ui-dialog
        heading=${this.chosen ? this.chosen.title : "Add a product"}
        .open=${this.open}
        @close=${() => {
          this.open = false;
        }}
      >
        ${this.open ? this.#content() : nothing}
      </ui-dialog>
    `;
  }

  #content() {
    if (this.chosen) return this.#terms(this.chosen);
    if (!this.products) return html`<p role="status">Loading your products …</p>`;
    const free = this.products.filter((product) => product.status === "active" && !this.taken.has(product.id));
    if (free.length === 0)
      return html`<p>There is nothing left to add. <a href="/studio">Add products to your shop</a>.</p>`;
    return html`<ul>${free.map((product) => this.#choice(product))}</ul>`;
  }

  /** @param {Product} product */
  #choice(product) {
    const store = product.variants.reduce((sum, variant) => sum + (variant.available ?? 0), 0);
    return html`
      <li>
        <button @click=${() => {
          this.chosen = product;
        }}>
          ${product.images[0] ? html`<img src=${product.images[0].small} alt="">` : html`<span class="blank"></span>`}
          <span>${product.title}<small>${product.shop.name}, ${store} in store stock</small></span>
        </button>
      </li>
    `;
  }

  /** @param {Product} product */
  #terms(product) {
    const rows = product.variants.map((variant) => ({
      id: variant.id,
      title: variant.title,
      price: variant.price,
      limit: DEFAULT_LIMIT,
      allotment: 0,
      store: variant.available ?? null,
    }));
    return html`
      <terms-form action="Add to the line-up" .rows=${rows} currency=${product.shop.currency} ?busy=${this.busy} @terms=${this.#add}></terms-form>
    `;
  }
}

/** @returns {Promise<Product[]>} */
async function myProducts() {
  const { shops } = await get("shops");
  const lists = await Promise.all(shops.map((/** @type {{id: string}} */ shop) => get(`shops/${shop.id}/products`)));
  return lists.flatMap((list) => list.products);
}

customElements.define("product-picker", ProductPicker);
