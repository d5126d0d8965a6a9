/**
 * `<hold-bar>`: what this buyer holds, the time left of the first to run out, and the way to checkout. What is only wanted, and
 * not set aside, comes second and says so.
 */

import { css, html, LitElement, nothing } from "lit";
import { bag } from "../shared/bag.js";
import { controls } from "../shared/controls.js";
import "../shared/hold-timer.js";
import "../shared/icon.js";

/** @import {BagItem} from "../shared/messages.js" */

class HoldBar extends LitElement {
  static styles = [
    controls,
    css`
      a { display: flex; gap: var(--space-2); align-items: center; margin: 0 var(--space-4); padding: var(--space-2) var(--space-4); border-radius: var(--radius-full); background: var(--color-surface); color: var(--color-ink); font-size: var(--text-s); text-decoration: none; }
      strong { margin-inline-start: auto; color: var(--color-accent); }
    `,
  ];

  connectedCallback() {
    super.connectedCallback();
    bag.addEventListener("change", this.#changed);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    bag.removeEventListener("change", this.#changed);
  }

  #changed = () => this.requestUpdate();

  render() {
    const now = Date.now() + bag.clockOffset; // a payment under way has some seconds more; this is no longer an invitation
    const [first] = bag.living.filter(({ deadline }) => deadline > now).toSorted(heldThenDue);
    const shop = bag.value?.parts.find(({ items }) => items.includes(first))?.shop.id;
    return shop ? this.#bar(shop, first) : nothing;
  }

  /**
   * @param {string} shop
   * @param {BagItem} item
   */
  #bar(shop, item) {
    return html`
      <a href="/checkout?shop=${shop}">
        <ui-icon name="timer"></ui-icon>
        <span>${words(item)}
          <hold-timer .deadline=${item.deadline} .nowOffset=${bag.clockOffset} @expired=${this.#changed}></hold-timer></span>
        <strong>Check out</strong>
      </a>
    `;
  }
}

/** @param {BagItem} one @param {BagItem} other */
function heldThenDue(one, other) {
  const last = (/** @type {BagItem} */ { status }) => Number(status === "wanted");
  return last(one) - last(other) || one.deadline - other.deadline;
}

/** @param {BagItem} first */
function words({ status }) {
  if (status === "wanted") return "Not set aside, price stands for";
  const units = bag.living.reduce((sum, item) => sum + (item.status === "held" ? item.quantity : 0), 0);
  return units === 1 ? "Yours for" : `${units} items, first for`;
}

customElements.define("hold-bar", HoldBar);
