/**
 * `<order-view order="order_…" key="…" .seller>`: one order with its way, its lines and what can be done next. While a payment is
 * under way it looks again by itself.
 */

import { css, html, LitElement, nothing } from "lit";
import { asApiError, get, post } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import { countryName } from "../shared/countries.js";
import "../shared/dialog.js";
import { dateTime } from "../shared/format.js";
import "../shared/order-lines.js";
import { failed, problem } from "../shared/page-states.js";
import { isMoving, STATUS, steps } from "./order-status.js";
import "./seller-actions.js";

/** @import {ApiError} from "../shared/api.js" */
/** @import {Order} from "../shared/messages.js" */

const LOOK_AGAIN_MS = 2_000;
const LOOKS = 60;

class OrderView extends LitElement {
  static properties = {
    orderId: { attribute: "order" },
    key: {},
    seller: { type: Boolean },
    order: { state: true },
    error: { state: true },
    message: { state: true },
    busy: { state: true },
    asking: { state: true },
  };

  static styles = [
    controls,
    css`
      .head { display: grid; gap: var(--space-2); margin-bottom: var(--space-5); }
      h1 { font-size: var(--text-3xl); }
      .all { display: grid; gap: var(--space-4); }
      ol { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; }
      ol li { display: grid; justify-items: center; gap: var(--space-2); position: relative; color: var(--color-muted); font-size: var(--text-s); }
      ol li::before { content: ""; position: absolute; top: 0.6875rem; right: calc(50% + 1.125rem); width: calc(100% - 2.25rem); height: 2px; background: var(--color-line); }
      ol li:first-child::before { display: none; }
      .dot { position: relative; display: grid; place-items: center; width: 1.5rem; height: 1.5rem; border: 2px solid var(--color-line); border-radius: 50%; background: var(--color-surface); }
      .dot ui-icon { width: 0.875rem; height: 0.875rem; }
      .done { color: var(--color-ink); font-weight: 580; }
      .done::before { background: var(--color-good) !important; }
      .done .dot { border-color: var(--color-good); color: var(--color-surface); background: var(--color-good); }
      .status { display: grid; gap: var(--space-4); }
      .facts { display: grid; gap: var(--space-4); grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); }
      .facts h2 { margin-bottom: var(--space-2); font-size: var(--text-m); }
      address { font-style: normal; color: var(--color-muted); }
      .wait { height: 18rem; border-radius: var(--radius-l); }
    `,
  ];

  constructor() {
    super();
    this.orderId = "";
    this.key = "";
    this.seller = false;
    /** @type {Order | null} */
    this.order = null;
    /** @type {ApiError | null} */
    this.error = null;
    this.message = "";
    this.busy = false;
    this.asking = false;
    this.looks = 0;
  }

  connectedCallback() {
    super.connectedCallback();
    this.load();
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.load());
  }

  /** @param {string} [action] */
  #path(action) {
    const path = action ? `orders/${this.orderId}/${action}` : `orders/${this.orderId}`;
    return this.key ? `${path}?key=${encodeURIComponent(this.key)}` : path;
  }

  async load() {
    try {
      this.#show(await get(this.#path()));
    } catch (error) {
      if (!this.order) this.error = asApiError(error);
    }
  }

  /** @param {Order} order */
  #show(order) {
    Object.assign(this, { order, error: null });
    document.title = `Order ${order.number}`;
    if (isMoving(order) && this.looks++ < LOOKS) setTimeout(() => this.load(), LOOK_AGAIN_MS);
  }

  /** @param {() => Promise<Order>} step */
  async #act(step) {
    Object.assign(this, { busy: true, message: "" });
    try {
      this.#show(await step());
    } catch (raw) {
      const error = asApiError(raw);
      this.message = error.message;
      if (error.details.order?.lines) this.order = error.details.order;
      else await this.load();
    }
    this.busy = false;
  }

  #pay() {
    if (this.busy || !this.order) return;
    const { revision } = this.order;
    this.#act(async () => {
      const order = await post(this.#path("pay"), { revision });
      if (order.payment_url) location.assign(order.payment_url);
      return order;
    });
  }

  #cancel() {
    this.asking = false;
    this.#act(() => post(this.#path("cancel")));
  }

  /** @param {Order} order */
  #way({ status }) {
    const way = steps(status);
    if (way.length === 0) return nothing;
    return html`<ol role="list" aria-label="Progress">${way.map(
      ({ label, done, current }) => html`<li class=${done ? "done" : ""} aria-current=${current ? "step" : nothing}>
        <span class="dot">${done ? html`<ui-icon name="check"></ui-icon>` : nothing}</span>${label}<span class="visually-hidden">${done ? ", done" : ", to come"}</span>
      </li>`,
    )}</ol>`;
  }

  /** @param {Order} order */
  #next(order) {
    if (this.seller) {
      return html`<seller-actions .order=${order} @changed=${(/** @type {CustomEvent<Order>} */ event) => this.#show(event.detail)}></seller-actions>`;
    }
    if (order.status !== "pending") return nothing;
    return html`<div class="row">
      <button type="button" class="button primary" aria-disabled=${this.busy} @click=${this.#pay}>${this.busy ? "One moment…" : "Pay now"}</button>
      <button type="button" class="button" ?disabled=${this.busy} @click=${() => (this.asking = true)}>Cancel order</button>
    </div>`;
  }

  /** @param {Order} order */
  #facts({ address, email, tracking, status }) {
    const lines = [
      address.name,
      address.street,
      address.extra,
      `${address.postcode} ${address.city}`,
      countryName(address.country),
    ];
    const parcel = tracking
      ? html`Tracking number <strong>${tracking}</strong>`
      : status === "shipped"
        ? "Sent without a tracking number."
        : "Not sent yet.";
    return html`<div class="facts">
      <section class="card"><h2>Delivery</h2><address>${lines.filter(Boolean).map((line) => html`${line}<br />`)}</address></section>
      <section class="card"><h2>Contact and parcel</h2><p class="muted">${email}</p><p class="muted">${parcel}</p></section>
    </div>`;
  }

  /** @param {Order} order */
  #dialog(order) {
    return html`<ui-dialog heading="Cancel order ${order.number}?" .open=${this.asking} @close=${() => (this.asking = false)}>
      <p>Its items go back on sale. Nothing is charged.</p>
      <div slot="footer" class="row">
        <button type="button" class="button danger" @click=${this.#cancel}>Cancel order</button>
        <button type="button" class="button" @click=${() => (this.asking = false)}>Keep it</button>
      </div>
    </ui-dialog>`;
  }

  render() {
    if (this.error) return failed(this.error, () => this.load());
    const { order } = this;
    if (!order) return html`<div class="skeleton wait" aria-busy="true"></div>`;
    const { label, tone, words } = STATUS[order.status];
    return html`
      <div class="head">
        <div><span class="chip ${tone}">${label}</span></div>
        <h1>Order ${order.number}</h1>
        <p class="muted">${order.shop.name} · ${dateTime(order.placed_at)}</p>
      </div>
      <div class="all">
        <section class="card status" aria-label="Status">
          ${this.#way(order)}
          ${this.seller ? nothing : html`<p role="status">${words}</p>`}
          ${problem(this.message)} ${this.#next(order)}
        </section>
        <section class="card" aria-label="Items"><h2 class="visually-hidden">Items</h2><order-lines .order=${order}></order-lines></section>
        ${this.#facts(order)}
      </div>
      ${this.#dialog(order)}`;
  }
}

customElements.define("order-view", OrderView);
