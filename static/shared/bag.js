/**
 * The bag of this browser or account: one copy a page. `bag.took(hold)` after a purchase; it fires `change`. Holds that the
 * server has lost are taken again by their tokens, or said to be lost, once. `<bag-button>` is the way to the bag, with the
 * number of its units.
 */

import { css, html, LitElement, nothing } from "lit";
import { ApiError, get, post } from "./api.js";
import { controls } from "./controls.js";
import { count } from "./format.js";
import { forget, isLiving, missingFrom, remember } from "./hold-tokens.js";
import "./icon.js";
import { me } from "./me.js";
import { toast } from "./toast.js";

/** @import {Kept} from "./hold-tokens.js" */
/** @import {Bag, BagItem, Hold} from "./messages.js" */

const AFTER_DEADLINE_MS = 400;
const SHORTEST_WAIT_MS = 2_000; // a hold may be a moment overdue before the server notices
const LONGEST_WAIT_MS = 24 * 3_600_000;
const LOST = "Something that was set aside for you was lost, and it is sold out now. Nothing was charged.";
const WISH_LOST = "Something in your bag was lost, and it is sold out now. Nothing was charged.";

class BagStore extends EventTarget {
  /** @type {Bag | null} null until the first answer */
  value = null;
  /** The server's clock minus this device's, in ms. */
  clockOffset = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @returns {BagItem[]} what is in it, and what expired lately */
  get items() {
    return (this.value?.parts ?? []).flatMap(({ items }) => items);
  }

  /** What can be checked out. */
  get living() {
    return this.items.filter(isLiving);
  }

  /** Units that can be checked out. */
  get count() {
    return this.living.reduce((sum, { quantity }) => sum + quantity, 0);
  }

  /** A hold was granted; it is certain, also when the bag cannot be read now. @param {Hold} hold */
  async took(hold) {
    remember([hold], await account());
    await this.refresh();
  }

  /** A hold was given back. @param {string} hold */
  async gaveBack(hold) {
    forget([hold]);
    await this.refresh();
  }

  /** Rejects with the ApiError, keeping what was known. */
  async refresh() {
    const [bag, own] = await Promise.all([get("bag"), account()]);
    const missing = missingFrom(bag, own);
    this.#take(missing.length > 0 ? await restored(bag, missing, own) : bag, own);
  }

  /** @param {Bag} bag @param {string} own */
  #take(bag, own) {
    this.value = bag;
    this.clockOffset = bag.at - Date.now();
    remember(this.items, own);
    this.#watchDeadlines(bag);
    this.dispatchEvent(new Event("change"));
  }

  /** Look again just after the next deadline. @param {Bag} bag */
  #watchDeadlines(bag) {
    clearTimeout(this.#timer);
    if (this.living.length === 0) return;
    const next = Math.min(...this.living.map(({ deadline }) => deadline)) - bag.at;
    const wait = Math.min(Math.max(next + AFTER_DEADLINE_MS, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
    this.#timer = setTimeout(() => this.refresh().catch(() => {}), wait);
  }
}

export const bag = new BagStore();

/** The handle of whoever is signed in; empty for a guest. */
async function account() {
  return (await me()).account?.handle ?? "";
}

/**
 * The bag with what the server had lost and could take again. What it could not is told, once.
 * @param {Bag} bag as it was read
 * @param {Kept[]} missing
 * @param {string} own account
 * @returns {Promise<Bag>} as it was read, when the server cannot tell now: the next look asks again
 */
async function restored(bag, missing, own) {
  try {
    const whole = /** @type {Bag} */ (await post("bag", { tokens: missing.map(({ token }) => token) }));
    const still = missingFrom(whole, own).map(({ hold }) => hold);
    const unknown = await Promise.all(still.map(isUnknown));
    tellLost(forget(still).filter(({ hold }) => unknown[still.indexOf(hold)]));
    return whole;
  } catch {
    return bag;
  }
}

/** Whether the server does not know a hold; one that it knows was sold or given back on another page. @param {string} hold */
async function isUnknown(hold) {
  try {
    await get(`holds/${hold}`);
    return false;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return true;
    throw error;
  }
}

/** @param {Kept[]} lost */
function tellLost(lost) {
  if (lost.length > 0) toast(lost.every(({ wanted }) => wanted) ? WISH_LOST : LOST, { tone: "bad" });
}

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
