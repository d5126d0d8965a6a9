/**
 * The bag and its checkout. `?shop=` picks what to check out; without it every shop's part is listed. Paying places the order
 * under a key of its own, then leads to the payment page.
 */

import { css, html, LitElement, nothing } from "lit";
import { asApiError, del, get, post } from "../shared/api.js";
import { bag } from "../shared/bag.js";
import { controls } from "../shared/controls.js";
import { errorsByField } from "../shared/field.js";
import { money } from "../shared/format.js";
import "../shared/header.js";
import { me } from "../shared/me.js";
import { failed, problem } from "../shared/page-states.js";
import { once, untilAnswered } from "../shared/pending.js";
import { toast } from "../shared/toast.js";
import "./address-form.js";
import { totals } from "./bag-part.js";
import "./changed-order.js";

/** @import {ApiError} from "../shared/api.js" */
/** @import {Address, BagPart, Order} from "../shared/messages.js" */
/** @typedef {{email: string, address: Address}} Contact */

const FIELDS = new Set(["email", "name", "street", "extra", "postcode", "city", "country"]);

class CheckoutPage extends LitElement {
  static properties = {
    error: { state: true },
    errors: { state: true },
    message: { state: true },
    busy: { state: true },
    removing: { state: true },
    begun: { state: true },
    changed: { state: true },
    ready: { state: true },
  };

  static styles = [
    controls,
    css`
      h1 { margin-block: var(--space-4) var(--space-5); font-size: var(--text-3xl); }
      .columns { display: grid; gap: var(--space-6) var(--space-8); align-items: start; }
      .part + .part { margin-top: var(--space-4); }
      .part h2 { margin-bottom: var(--space-4); }
      .part > .button { margin-top: var(--space-4); }
      .wait { height: 14rem; border-radius: var(--radius-l); }
      .foot { color: var(--color-muted); font-size: var(--text-s); }
      @media (min-width: 56rem) {
        .columns { grid-template-columns: minmax(0, 1.1fr) minmax(0, 1fr); }
        .bag { position: sticky; top: calc(var(--header-height) + var(--space-4)); order: 2; }
      }
    `,
  ];

  constructor() {
    super();
    this.shop = new URLSearchParams(location.search).get("shop");
    /** @type {ApiError | null} */
    this.error = null;
    /** @type {Record<string, string>} */
    this.errors = {};
    this.message = "";
    this.busy = false;
    /** @type {Set<string>} */
    this.removing = new Set();
    /** The pending order begun earlier with this part. @type {Order | null} */
    this.begun = null;
    /** The order as it is after lines were lost. @type {Order | null} */
    this.changed = null;
    /** Variants of the order that were not set aside. @type {Set<string>} */
    this.wanted = new Set();
    this.ready = false;
  }

  connectedCallback() {
    super.connectedCallback();
    bag.addEventListener("change", () => this.requestUpdate());
    this.load();
  }

  async load() {
    this.error = null;
    try {
      await me();
      await bag.refresh();
      const order = this.#part?.order;
      if (order) this.begun = await get(`orders/${order}`).catch(() => null);
      this.ready = true;
    } catch (error) {
      this.error = asApiError(error);
    }
  }

  get #parts() {
    return bag.value?.parts ?? [];
  }

  /** What is being checked out. @returns {BagPart | undefined} */
  get #part() {
    if (this.#parts.length === 1 && !this.shop) return this.#parts[0];
    return this.#parts.find(({ shop }) => shop.id === this.shop);
  }

  /** @param {CustomEvent<string>} event */
  async #remove({ detail: hold }) {
    this.removing = new Set([...this.removing, hold]);
    try {
      await del(`holds/${hold}`);
      toast("Removed from your bag.");
    } catch (error) {
      toast(asApiError(error).message, { tone: "bad" });
    }
    await bag.gaveBack(hold).catch(() => {});
    this.removing = new Set([...this.removing].filter((other) => other !== hold));
  }

  /** @param {BagPart} part @param {Contact} contact */
  async #place(part, contact) {
    Object.assign(this, { busy: true, message: "", errors: {} });
    const { living } = totals(part);
    const request = { holds: living.map(({ hold }) => hold), ...contact };
    const tokens = living.map(({ token }) => token);
    this.wanted = new Set(living.flatMap(({ status, variant }) => (status === "wanted" ? variant : [])));
    try {
      const order = await once(`order:${part.shop.id}:${part.currency}`, request, (key) =>
        untilAnswered(
          () => post("orders", { ...request, key, tokens }),
          () => this.#lost(),
        ),
      );
      await this.#pay(order);
    } catch (error) {
      await this.#refused(error);
    }
  }

  /** Lead to the payment of `order` exactly as it was shown. @param {Order} order */
  async #pay(order) {
    Object.assign(this, { busy: true, message: "" });
    try {
      const paying = await post(withKey(`orders/${order.id}/pay`, order), { revision: order.revision });
      location.assign(paying.payment_url ?? paying.link);
    } catch (error) {
      await this.#refused(error);
    }
  }

  /** @param {unknown} raw */
  async #refused(raw) {
    const error = asApiError(raw);
    const order = /** @type {Order | undefined} */ (error.details.order);
    this.changed = order?.lines ? order : this.changed;
    this.errors = errorsByField(error);
    this.message = order?.lines || Object.keys(this.errors).some((name) => FIELDS.has(name)) ? "" : error.message;
    this.busy = false;
    await bag.refresh().catch(() => {});
  }

  #lost() {
    this.message = "The connection is gone. Your order is sent as soon as it is back, and only once.";
  }

  #known() {
    return this.begun ? { email: this.begun.email, ...this.begun.address } : {};
  }

  /** @param {BagPart} part */
  #checkout(part) {
    const { living, total } = totals(part);
    const form = html`<address-form .errors=${this.errors} .busy=${this.busy} .known=${this.#known()}
      .label=${`Pay ${money(total, part.currency)}`}
      @pay=${(/** @type {CustomEvent<Contact>} */ event) => this.#place(part, event.detail)}>
      ${problem(this.message)}
      <p class="foot">You pay on the next page. ${living.some(({ status }) => status === "wanted") ? "What is not set aside goes to whoever pays first." : "Your items stay set aside for you until their time is up."}</p>
    </address-form>`;
    const nothingLeft = html`<div class="stack"><h2>Nothing left to pay</h2><p class="muted">None of these items is set aside for you any more.</p>
      <p><a class="button" href="/">See who is live</a></p></div>`;
    return html`<h1>Check out</h1>
      <div class="columns">
        <section class="bag card" aria-label="Your items from ${part.shop.name}"><h2 class="visually-hidden">Your items</h2>${this.#items(part)}</section>
        <section aria-label="Your details">${living.length > 0 ? form : nothingLeft}</section>
      </div>`;
  }

  /** @param {BagPart} part */
  #items(part) {
    return html`<bag-part .contents=${part} .clockOffset=${bag.clockOffset} .busy=${this.removing} @remove=${this.#remove}></bag-part>`;
  }

  /** @param {BagPart} part */
  #choice(part) {
    const some = totals(part).living.length > 0;
    return html`<section class="card part">
      <h2>${part.shop.name}</h2>
      ${this.#items(part)}
      ${some ? html`<a class="button primary wide" href="/checkout?shop=${part.shop.id}">Check out with ${part.shop.name}</a>` : nothing}
    </section>`;
  }

  #empty() {
    return html`<div class="empty">
      <ui-icon name="shopping-bag"></ui-icon>
      <h1>Your bag is empty</h1>
      <p>When you tap Buy, an item is set aside for you here for a few minutes.</p>
      <a class="button primary" href="/">See who is live</a>
      <a class="button quiet" href="/orders">My orders</a>
    </div>`;
  }

  render() {
    if (this.error) return failed(this.error, () => this.load());
    if (!this.ready) return html`<div aria-busy="true"><h1>Check out</h1><div class="skeleton wait"></div></div>`;
    if (this.changed) {
      const order = this.changed;
      return html`<changed-order .order=${order} .wanted=${this.wanted} .busy=${this.busy} @pay=${() => this.#pay(order)}>${problem(this.message)}</changed-order>`;
    }
    const part = this.#part;
    if (part) return this.#checkout(part);
    if (this.#parts.length === 0) return this.#empty();
    return html`<h1>Your bag</h1>${this.#parts.map((one) => this.#choice(one))}`;
  }
}

/** The order's path with the key of its signed link, for guests. @param {string} path @param {Order} order */
function withKey(path, order) {
  const key = new URL(order.link, location.origin).searchParams.get("key");
  return key ? `${path}?key=${encodeURIComponent(key)}` : path;
}

customElements.define("checkout-page", CheckoutPage);
