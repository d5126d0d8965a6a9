/** `<hold-bar>`: what this buyer holds, the time left of the first to run out, and the way to checkout. */

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
    const parts = bag.value?.parts ?? [];
    const [first] = parts
      .flatMap(({ shop, items }) => items.map((item) => ({ shop, item })))
      .filter(({ item }) => item.status === "held")
      .sort((one, other) => one.item.deadline - other.item.deadline);
    return first ? this.#bar(first.shop.id, first.item) : nothing;
  }

  /**
   * @param {string} shop
   * @param {BagItem} item
   */
  #bar(shop, item) {
    return html`
      <a href="/checkout?shop=${shop}">
        <ui-icon name="timer"></ui-icon>
        <span>${bag.count === 1 ? "Yours for" : `${bag.count} items, first for`}
          <hold-timer .deadline=${item.deadline} .nowOffset=${bag.clockOffset}></hold-timer></span>
        <strong>Check out</strong>
      </a>
    `;
  }
}

customElements.define("hold-bar", HoldBar);
