/** `/orders`: my orders, and for a shop's staff the shop's. `/orders/{order}[?key=…]`: one of them. */

import { css, html, LitElement, nothing } from "lit";
import { asApiError, get } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import "../shared/header.js";
import { me } from "../shared/me.js";
import { failed } from "../shared/page-states.js";
import "./order-list.js";
import "./order-view.js";

/** @import {ApiError} from "../shared/api.js" */
/** @import {Order, ShopRole} from "../shared/messages.js" */

class OrdersPage extends LitElement {
  static properties = {
    shops: { state: true },
    signedIn: { state: true },
    shop: { state: true },
    orders: { state: true },
    error: { state: true },
  };

  static styles = [
    controls,
    css`
      h1 { margin-block: var(--space-3) var(--space-4); font-size: var(--text-3xl); }
      .crumbs { display: inline-flex; align-items: center; gap: var(--space-2); min-height: var(--touch); margin-bottom: var(--space-2); font-weight: 600; text-decoration: none; }
      .crumbs:hover { text-decoration: underline; }
      nav.tabs { display: flex; gap: var(--space-2); margin: 0 calc(-1 * var(--space-4)) var(--space-5); padding: 3px var(--space-4); overflow-x: auto; scrollbar-width: none; }
      .tabs a[aria-current] { border-color: var(--color-ink); color: var(--color-page); background: var(--color-ink); }
      .wait { height: 8rem; border-radius: var(--radius-l); }
    `,
  ];

  constructor() {
    super();
    const parameters = new URLSearchParams(location.search);
    this.orderId = location.pathname.split("/")[2] ?? "";
    this.key = parameters.get("key") ?? "";
    this.asShop = parameters.get("view") === "shop";
    /** The shop whose orders are shown, or null for my own. */
    this.shop = parameters.get("shop");
    /** @type {ShopRole[]} */
    this.shops = [];
    this.signedIn = true;
    /** @type {Order[] | null} */
    this.orders = null;
    /** @type {ApiError | null} */
    this.error = null;
  }

  connectedCallback() {
    super.connectedCallback();
    if (!this.orderId) this.load();
  }

  async load() {
    Object.assign(this, { error: null, orders: null });
    try {
      const { shops, account } = await me();
      Object.assign(this, { shops, signedIn: account !== null });
      const answer = await get(this.shop ? `shops/${this.shop}/orders` : "orders");
      this.orders = answer.orders;
    } catch (error) {
      this.error = asApiError(error);
    }
  }

  #tabs() {
    if (this.shops.length === 0) return nothing;
    const tab = (/** @type {string | null} */ id, /** @type {string} */ label) =>
      html`<a class="button small" href=${id ? `/orders?shop=${id}` : "/orders"} aria-current=${id === this.shop ? "page" : nothing}>${label}</a>`;
    const label = (/** @type {ShopRole} */ shop) =>
      this.shops.length === 1 ? "Shop orders" : `Orders of ${shop.name}`;
    return html`<nav class="tabs" aria-label="Whose orders">${tab(null, "My orders")} ${this.shops.map((shop) => tab(shop.id, label(shop)))}</nav>`;
  }

  #empty() {
    if (this.shop)
      return html`<div class="empty"><h2>No orders yet</h2><p>Orders of this shop appear here as soon as somebody checks out.</p></div>`;
    return html`<div class="empty">
      <ui-icon name="package"></ui-icon>
      <h2>No orders yet</h2>
      <p>What you buy appears here.${this.signedIn ? nothing : " Did you order with an account? Sign in to see it."}</p>
      <a class="button primary" href="/">See who is live</a>
      ${this.signedIn ? nothing : html`<a class="button quiet" href="/sign-in?next=/orders">Sign in</a>`}
    </div>`;
  }

  #list() {
    if (this.error) return failed(this.error, () => this.load());
    if (!this.orders) return html`<div class="skeleton wait" aria-busy="true"></div>`;
    if (this.orders.length === 0) return this.#empty();
    return html`<order-list .orders=${this.orders} .seller=${this.shop !== null}></order-list>`;
  }

  render() {
    if (this.orderId) {
      return html`<a class="crumbs" href="/orders"><ui-icon name="arrow-left"></ui-icon>All orders</a>
        <order-view .orderId=${this.orderId} .key=${this.key} .seller=${this.asShop}></order-view>`;
    }
    return html`<h1>Orders</h1>${this.#tabs()} ${this.#list()}`;
  }
}

customElements.define("orders-page", OrdersPage);
