/**
 * The bag of this browser or account: one copy a page. `bag.refresh()` after a purchase; it fires `change`. `<bag-button>` is
 * the way to it, with the number of units set aside.
 */

import { css, html, LitElement, nothing } from "lit";
import { get } from "./api.js";
import { controls } from "./controls.js";
import { count } from "./format.js";
import "./icon.js";

/** @import {Bag, BagItem} from "./messages.js" */

const AFTER_DEADLINE_MS = 400;
const SHORTEST_WAIT_MS = 2_000; // a hold may be a moment overdue before the server notices
const LONGEST_WAIT_MS = 24 * 3_600_000;

class BagStore extends EventTarget {
  /** @type {Bag | null} null until the first answer */
  value = null;
  /** The server's clock minus this device's, in ms. */
  clockOffset = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** Items still set aside. @returns {BagItem[]} */
  get held() {
    return (this.value?.parts ?? []).flatMap(({ items }) => items).filter(({ status }) => status === "held");
  }

  /** Units still set aside. */
  get count() {
    return this.held.reduce((sum, { quantity }) => sum + quantity, 0);
  }

  /** @returns {Promise<Bag>} rejects with the ApiError, keeping what was known */
  async refresh() {
    const bag = /** @type {Bag} */ (await get("bag"));
    this.value = bag;
    this.clockOffset = bag.at - Date.now();
    this.#watchDeadlines(bag);
    this.dispatchEvent(new Event("change"));
    return bag;
  }

  /** Look again just after the next deadline. @param {Bag} bag */
  #watchDeadlines(bag) {
    clearTimeout(this.#timer);
    if (this.held.length === 0) return;
    const next = Math.min(...this.held.map(({ deadline }) => deadline)) - bag.at;
    const wait = Math.min(Math.max(next + AFTER_DEADLINE_MS, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
    this.#timer = setTimeout(() => this.refresh().catch(() => {}), wait);
  }
}

export const bag = new BagStore();

class BagButton extends LitElement {
  static properties = { units: { state: true } };

  static styles = [
    controls,
    css`
      :host { display: inline-block; }
      a { position: relative; }
      .count {
        position: absolute; top: 0.25rem; right: 0.125rem; min-width: 1.25rem; padding: 0 0.3rem; border-radius: var(--radius-full);
        color: var(--color-on-accent); background: var(--color-accent); font: 720 0.6875rem / 1.25rem var(--font);
        font-variant-numeric: tabular-nums; text-align: center;
      }
    `,
  ];

  constructor() {
    super();
    this.units = bag.count;
    this.onChange = () => {
      this.units = bag.count;
    };
    this.onVisible = () => {
      if (document.visibilityState === "visible") bag.refresh().catch(() => {});
    };
  }

  connectedCallback() {
    super.connectedCallback();
    bag.addEventListener("change", this.onChange);
    document.addEventListener("visibilitychange", this.onVisible);
    if (!bag.value) bag.refresh().catch(() => {});
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    bag.removeEventListener("change", this.onChange);
    document.removeEventListener("visibilitychange", this.onVisible);
  }

  get #href() {
    const shops = new Set((bag.value?.parts ?? []).map(({ shop }) => shop.id));
    return shops.size === 1 ? `/checkout?shop=${[...shops][0]}` : "/checkout";
  }

  render() {
    const words = this.units === 1 ? "1 item" : `${count(this.units)} items`;
    return html`<a class="icon-button" href=${this.#href} aria-label="Bag, ${words}"><ui-icon name="shopping-bag"></ui-icon>
        ${this.units > 0 ? html`<span class="count" aria-hidden="true">${this.units > 99 ? "99+" : this.units}</span>` : nothing}</a>
      <span role="status" class="visually-hidden">${bag.value ? `${words} in your bag` : ""}</span>`;
  }
}

customElements.define("bag-button", BagButton);
