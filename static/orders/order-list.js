/** `<order-list .orders .seller>`: orders, newest first; a seller's view says who ordered. */

import { css, html, LitElement, nothing } from "lit";
import { controls } from "../shared/controls.js";
import { dateTime, money } from "../shared/format.js";
import { STATUS } from "./order-status.js";

/** @import {Order} from "../shared/messages.js" */

class OrderList extends LitElement {
  static properties = { orders: { attribute: false }, seller: { type: Boolean } };

  static styles = [
    controls,
    css`
      ul { display: grid; gap: var(--space-3); }
      .card { position: relative; display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: var(--space-3) var(--space-4); transition: border-color var(--motion-fast); }
      .card:hover { border-color: var(--color-control); }
      .pictures { display: flex; gap: var(--space-2); }
      .pictures img, .more { width: 3.5rem; height: 3.5rem; border-radius: var(--radius-s); background: var(--color-sunken); object-fit: cover; }
      .more { display: grid; place-items: center; font-weight: 640; }
      h2 { font-size: var(--text-m); }
      h2 a { text-decoration: none; }
      h2 a::after { content: ""; position: absolute; inset: 0; border-radius: var(--radius-l); }
      h2 a:focus-visible { outline: none; }
      h2 a:focus-visible::after { outline: 3px solid var(--color-focus); outline-offset: 2px; }
      .end { display: grid; align-content: space-between; justify-items: end; gap: var(--space-1); text-align: right; }
      .end strong { font-size: var(--text-l); }
    `,
  ];

  constructor() {
    super();
    /** @type {Order[]} */
    this.orders = [];
    this.seller = false;
  }

  /** @param {Order} order */
  #pictures({ lines }) {
    const shown = lines.slice(0, 3);
    const images = shown.flatMap(({ image, title }) =>
      image ? html`<img src=${image} alt=${title} loading="lazy" />` : [],
    );
    return html`<div class="pictures">${images}${lines.length > 3 ? html`<span class="more">+${lines.length - 3}</span>` : nothing}</div>`;
  }

  /** @param {Order} order */
  #order(order) {
    const { label, tone } = STATUS[order.status];
    const href = this.seller ? `/orders/${order.id}?view=shop` : `/orders/${order.id}`;
    const whose = this.seller ? `${order.address.name}, ${order.address.city}` : order.shop.name;
    return html`<li class="card">
      <div class="stack">
        <div><h2><a href=${href}>Order ${order.number}</a></h2><p class="muted small">${whose} · ${dateTime(order.placed_at)}</p></div>
        ${this.#pictures(order)}
      </div>
      <div class="end"><span class="chip ${tone}">${label}</span><strong class="number">${money(order.total, order.currency)}</strong></div>
    </li>`;
  }

  render() {
    return html`<ul role="list">${this.orders.map((order) => this.#order(order))}</ul>`;
  }
}

customElements.define("order-list", OrderList);
