/** `<hold-card .hold .shop now-offset>`: what was just set aside, until when, and the way to check out. Fires `again` to go on shopping. */

import { css, html, LitElement, nothing } from "lit";
import { controls } from "./controls.js";
import { money } from "./format.js";
import "./hold-timer.js";
import "./icon.js";

/** @import {Hold} from "./messages.js" */

const OVER = {
  expired: {
    title: "Your hold expired",
    words: "The time was up, so it went back on sale. If some are left, you can take it again.",
  },
  sold: { title: "Already yours", words: "You have ordered this. It is under Orders." },
  released: { title: "No longer set aside", words: "You took this out of your bag." },
  returned: { title: "Given back", words: "This was ordered and then returned." },
};

class HoldCard extends LitElement {
  static properties = {
    hold: { attribute: false },
    shop: {},
    nowOffset: { type: Number, attribute: "now-offset" },
    expired: { state: true },
  };

  static styles = [
    controls,
    css`
      .card { display: grid; gap: var(--space-4); border-color: transparent; background: var(--color-good-soft); }
      .card.gone { background: var(--color-sunken); }
      h3 { display: flex; align-items: center; gap: var(--space-2); }
      .held h3 ui-icon { color: var(--color-good); }
      .until { display: flex; align-items: baseline; justify-content: space-between; gap: var(--space-3); }
      hold-timer { font-size: var(--text-xl); }
      .actions { display: grid; gap: var(--space-2); }
    `,
  ];

  constructor() {
    super();
    /** @type {Hold | null} */
    this.hold = null;
    this.shop = "";
    this.nowOffset = 0;
    this.expired = false;
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has("hold")) this.expired = false;
  }

  #again() {
    this.dispatchEvent(new Event("again"));
  }

  /** @param {Hold} hold */
  #held(hold) {
    const what = `${hold.quantity} × ${money(hold.price, hold.currency)}`;
    return html`<div class="card held">
      <div>
        <h3><ui-icon name="circle-check"></ui-icon> It is yours for now</h3>
        <p class="until"><span>${what}, set aside for you for</span>
          <hold-timer .deadline=${hold.deadline} .nowOffset=${this.nowOffset} @expired=${() => (this.expired = true)}></hold-timer></p>
      </div>
      <div class="actions">
        <a class="button primary wide" href="/checkout?shop=${this.shop}">Check out</a>
        <button type="button" class="button quiet wide" @click=${this.#again}>Keep looking</button>
      </div>
    </div>`;
  }

  /** @param {keyof typeof OVER} status */
  #over(status) {
    const { title, words } = OVER[status];
    return html`<div class="card gone" role="status">
      <div><h3>${title}</h3><p class="muted">${words}</p></div>
      <button type="button" class="button wide" @click=${this.#again}>Back to the product</button>
    </div>`;
  }

  render() {
    if (!this.hold) return nothing;
    const status = this.expired ? "expired" : this.hold.status;
    return status === "held" ? html`<div role="status">${this.#held(this.hold)}</div>` : this.#over(status);
  }
}

customElements.define("hold-card", HoldCard);
