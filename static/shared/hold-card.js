/**
 * `<hold-card .hold .shop now-offset>`: what was just set aside (or only wanted, where the first to pay is served), until when,
 * and the way to check out. Fires `again` to go on shopping. With `offer`, its heading, it is the turn of somebody who waited in
 * line, and fires `decline` instead.
 */

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

const WISH_OVER = {
  title: "The time is up",
  words: "The price no longer stands. If some are left, you can try again.",
};

class HoldCard extends LitElement {
  static properties = {
    hold: { attribute: false },
    shop: {},
    nowOffset: { type: Number, attribute: "now-offset" },
    offer: {},
    expired: { state: true },
  };

  static styles = [
    controls,
    css`
      .card { display: grid; gap: var(--space-4); border-color: transparent; background: var(--color-good-soft); }
      .card.wanted { background: var(--color-warn-soft); }
      .card.gone { background: var(--color-sunken); }
      h3 { display: flex; align-items: center; gap: var(--space-2); }
      .held h3 ui-icon { color: var(--color-good); }
      .wanted h3 ui-icon { color: var(--color-warn); }
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
    this.offer = "";
    this.expired = false;
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has("hold")) this.expired = false;
  }

  #again() {
    this.dispatchEvent(new Event("again"));
  }

  #decline() {
    this.dispatchEvent(new Event("decline"));
  }

  /** @param {Hold} hold */
  #living(hold) {
    return html`<div class="card ${hold.status}">
      <div>
        ${this.#words(hold)}
      </div>
      <div class="actions">
        <a class="button primary wide" href="/checkout?shop=${this.shop}">Check out</a>
        ${
          this.offer
            ? html`<button type="button" class="button quiet wide" @click=${this.#decline}>No, thanks</button>`
            : html`<button type="button" class="button quiet wide" @click=${this.#again}>Keep looking</button>`
        }
      </div>
    </div>`;
  }

  /** @param {Hold} hold */
  #words(hold) {
    const what = `${hold.quantity} × ${money(hold.price, hold.currency)}`;
    const timer = html`<hold-timer .deadline=${hold.deadline} .nowOffset=${this.nowOffset} @expired=${() => (this.expired = true)}></hold-timer>`;
    if (this.offer)
      return html`<p class="visually-hidden" role="alert">${this.offer}</p><h3><ui-icon name="circle-check"></ui-icon> ${this.offer}</h3>
        <p class="until"><span>${what}, yours for</span>${timer}</p>`;
    if (hold.status === "held")
      return html`<h3><ui-icon name="circle-check"></ui-icon> It is yours for now</h3>
        <p class="until"><span>${what}, set aside for you for</span>${timer}</p>`;
    return html`<h3><ui-icon name="zap"></ui-icon> Pay now to get it</h3>
      <p>${what}. Not set aside: whoever pays first gets it.</p>
      <p class="until"><span>Price stands for</span>${timer}</p>`;
  }

  /** @param {{title: string, words: string}} what */
  #over({ title, words }) {
    return html`<div class="card gone" role="status">
      <div><h3>${title}</h3><p class="muted">${words}</p></div>
      <button type="button" class="button wide" @click=${this.#again}>Back to the product</button>
    </div>`;
  }

  render() {
    if (!this.hold) return nothing;
    const { status } = this.hold;
    if (this.expired && this.offer) return nothing; // whoever shows it says that the turn has passed
    if (this.expired) return this.#over(status === "wanted" ? WISH_OVER : OVER.expired);
    if (status !== "held" && status !== "wanted") return this.#over(OVER[status]);
    return this.offer ? this.#living(this.hold) : html`<div role="status">${this.#living(this.hold)}</div>`;
  }
}

customElements.define("hold-card", HoldCard);
