/** The built-in payment page, for trying things out: plainly a test, it decides what the payment shall do. */

import { css, html, LitElement } from "lit";
import { asApiError, get, post } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import { money } from "../shared/format.js";
import "../shared/header.js";
import { failed, problem } from "../shared/page-states.js";

/** @import {ApiError} from "../shared/api.js" */
/** @import {SandboxPayment} from "../shared/messages.js" */

/** @type {{outcome: string, label: string, hint: string, look: string}[]} */
const CHOICES = [
  { outcome: "success", label: "Pay", hint: "The payment succeeds at once.", look: "primary" },
  { outcome: "slow", label: "Pay slowly", hint: "The payment succeeds after a while, as some banks do.", look: "" },
  { outcome: "decline", label: "Decline", hint: "The bank says no.", look: "danger" },
];

const OVER = {
  authorised: "This payment was made.",
  captured: "This payment was made.",
  declined: "This payment was declined.",
  voided: "This payment was called off. Nothing was charged.",
  refunded: "This payment went back to the buyer.",
};

class PayPage extends LitElement {
  static properties = {
    payment: { state: true },
    error: { state: true },
    message: { state: true },
    busy: { state: true },
  };

  static styles = [
    controls,
    css`
      :host { max-width: 28rem; margin: var(--space-5) auto 0; }
      .card { display: grid; gap: var(--space-5); padding: var(--space-5); }
      .amount { font-size: var(--text-3xl); font-weight: 740; letter-spacing: var(--tight); line-height: 1.1; }
      .choices { display: grid; gap: var(--space-4); }
      .choices p { margin-top: var(--space-1); color: var(--color-muted); font-size: var(--text-s); text-align: center; }
      .wait { height: 20rem; border-radius: var(--radius-l); }
    `,
  ];

  constructor() {
    super();
    this.path = `payments/${location.pathname.split("/").at(-1)}`;
    /** @type {SandboxPayment | null} */
    this.payment = null;
    /** @type {ApiError | null} */
    this.error = null;
    this.message = "";
    this.busy = false;
  }

  connectedCallback() {
    super.connectedCallback();
    this.load();
  }

  async load() {
    this.error = null;
    try {
      this.payment = await get(this.path);
    } catch (error) {
      this.error = asApiError(error);
    }
  }

  /** @param {string} outcome */
  async #choose(outcome) {
    if (this.busy) return;
    Object.assign(this, { busy: true, message: "" });
    try {
      const payment = await post(this.path, { outcome });
      location.assign(payment.return_url);
    } catch (error) {
      this.message = asApiError(error).message;
      this.busy = false;
    }
  }

  /** @param {SandboxPayment} payment */
  #choices({ status, return_url }) {
    if (status !== "open") {
      return html`<p>${OVER[status]}</p><a class="button primary wide" href=${return_url}>Back to the order</a>`;
    }
    return html`<div class="choices">${CHOICES.map(
      ({ outcome, label, hint, look }) => html`<div>
        <button type="button" class="button wide ${look}" aria-disabled=${this.busy} aria-describedby=${outcome} @click=${() => this.#choose(outcome)}>${label}</button>
        <p id=${outcome}>${hint}</p>
      </div>`,
    )}</div>
    <a class="button quiet wide" href=${return_url}>Back without paying</a>`;
  }

  render() {
    if (this.error) return failed(this.error, () => this.load());
    const { payment } = this;
    if (!payment) return html`<div class="skeleton wait" aria-busy="true"></div>`;
    return html`<section class="card">
      <p class="notice warn"><ui-icon name="flask-conical"></ui-icon><span><strong>Test payment.</strong> No card, no bank, no real money: choose what shall happen.</span></p>
      <div><h1 class="muted small">Order ${payment.number}</h1><p class="amount number">${money(payment.amount, payment.currency)}</p></div>
      ${problem(this.message)} ${this.#choices(payment)}
    </section>`;
  }
}

customElements.define("pay-page", PayPage);
