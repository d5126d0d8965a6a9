import { css, html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { get, newKey, post } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import "../shared/dialog.js";
import { money } from "../shared/format.js";
import "../shared/icon.js";
import { toast } from "../shared/toast.js";
import "./product-form.js";
import { told } from "./told.js";

/** @import {Product, Shop, Variant} from "../shared/messages.js" */

/** One shop: its products with store stock. */
class ShopPanel extends LitElement {
  static properties = { shop: { attribute: false }, products: { state: true }, adding: { state: true } };

  static styles = [
    controls,
    css`
      .card { display: grid; gap: var(--space-4); }
      .products { display: grid; gap: var(--space-4); margin: 0; padding: 0; list-style: none; }
      .product { display: grid; grid-template-columns: 3.5rem minmax(0, 1fr); gap: var(--space-3); padding-top: var(--space-4); border-top: 1px solid var(--color-line); }
      img, .blank { width: 3.5rem; height: 4.25rem; border-radius: var(--radius-s); object-fit: cover; background: var(--color-sunken); }
      .variant { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: var(--space-1) var(--space-3); align-items: center; padding-block: var(--space-1); }
      form { display: flex; gap: var(--space-2); align-items: center; }
      form .input { width: 5.5rem; min-height: 2.25rem; padding-block: 0.25rem; }
      @media (max-width: 30rem) {
        .variant { grid-template-columns: 1fr; }
      }
    `,
  ];

  constructor() {
    super();
    /** @type {Shop | null} */
    this.shop = null;
    /** @type {Product[] | null} */
    this.products = null;
    this.adding = false;
  }

  async firstUpdated() {
    this.products = (await told(get(`shops/${this.shop?.id}/products`)))?.products ?? [];
  }

  /** @param {CustomEvent<Product>} event */
  #created = (event) => {
    this.products = [...(this.products ?? []), event.detail];
    this.adding = false;
  };

  /**
   * @param {SubmitEvent} event
   * @param {Variant} variant
   */
  async #restock(event, variant) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const delta = Number(new FormData(form).get("delta"));
    if (!Number.isInteger(delta) || delta === 0) return;
    const stock = await told(post(`shops/${this.shop?.id}/stock`, { operation: newKey(), variant: variant.id, delta }));
    if (!stock) return;
    form.reset();
    this.products = (this.products ?? []).map((product) => ({
      ...product,
      variants: product.variants.map((other) =>
        other.id === variant.id ? { ...other, available: stock.available } : other,
      ),
    }));
    toast(`${stock.applied > 0 ? "Added" : "Removed"} ${Math.abs(stock.applied)}: ${stock.available} in store stock.`, {
      tone: "good",
    });
  }

  render() {
    const { shop } = this;
    if (!shop) return nothing;
    return html`
      <div class="card">
        <div class="row">
          <h3>${shop.name}</h3>
          <span class="muted small">@${shop.handle}, ${shop.currency}</span>
        </div>
        <div class="row">
          <button class="button" @click=${() => this.#add(true)}><ui-icon name="plus"></ui-icon>New product</button>
          <a class="button quiet" href="/orders?view=shop&shop=${shop.id}"><ui-icon name="package"></ui-icon>Orders</a>
        </div>
        ${this.#products()}
      </div>
      <ui-dialog heading="New product" .open=${this.adding} @close=${() => this.#add(false)}>
        ${this.adding ? html`<product-form .shop=${shop} @created=${this.#created}></product-form>` : nothing}
      </ui-dialog>
    `;
  }

  /** @param {boolean} adding */
  #add(adding) {
    this.adding = adding;
  }

  #products() {
    if (!this.products) return html`<p class="muted" role="status">Loading products …</p>`;
    if (this.products.length === 0) return html`<p class="muted">No products yet.</p>`;
    return html`<ul class="products">${repeat(
      this.products,
      (product) => product.id,
      (product) => this.#product(product),
    )}</ul>`;
  }

  /** @param {Product} product */
  #product(product) {
    return html`
      <li class="product">
        ${product.images[0] ? html`<img src=${product.images[0].small} alt="">` : html`<span class="blank"></span>`}
        <div>
          <a href="/products/${product.id}"><strong>${product.title}</strong></a>
          ${product.variants.map((variant) => this.#variant(product, variant))}
        </div>
      </li>
    `;
  }

  /**
   * @param {Product} product
   * @param {Variant} variant
   */
  #variant(product, variant) {
    const price = money(variant.price, product.shop.currency);
    return html`
      <div class="variant small">
        <span>${variant.title} <span class="muted">${variant.sku}, ${price}</span><br><span class="number">${variant.available ?? 0} in store stock</span></span>
        <form @submit=${(/** @type {SubmitEvent} */ event) => this.#restock(event, variant)}>
          <input class="input" name="delta" type="number" step="1" min="-1000000" max="1000000" required placeholder="+ / −" aria-label="Units to add to ${product.title} ${variant.title}, negative to remove">
          <button class="button small">Restock</button>
        </form>
      </div>
    `;
  }
}

customElements.define("shop-panel", ShopPanel);
