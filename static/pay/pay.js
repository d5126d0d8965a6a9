/** The built-in payment page, for trying things out: plainly a test, it decides what the payment shall do. */

import { css, html, LitElement, nothing } from "lit";
import { asApiError, get, post } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import { money } from "../shared/format.js";
import "../shared/header.js";
import { failed, problem } from "../shared/page-states.js";

/** @import {ApiError} from "../shared/api.js" */
/** @import {SandboxChoice, SandboxPayment} from "../shared/messages.js" */
/** @typedef {{outcome: SandboxChoice["outcome"], label: string, hint: string, look: string}} Choice */

/** @type {Choice[]} */
const CHOICES = [
  { outcome: "success", label: "Pay", hint: "The payment succeeds at once.", look: "primary" },
  { outcome: "slow", label: "Pay slowly", hint: "The payment succeeds after a while, as some banks do.", look: "" },
  { outcome: "decline", label: "Decline", hint: "The bank says no.", look: "danger" },
];

/** @type {Choice[]} */
const ODD_CHOICES = [
  {
    outcome: "late",
    label: "Pay, told late",
    hint: "The bank agrees at once, but the shop hears of it later. If the last unit is gone by then, the money is let go.",
    look: "",
  },
  {
    outcome: "twice",
    label: "Pay, told twice",
    hint: "Every notice comes twice, also that of a refund. The order is paid once.",
    look: "",
  },
  {
    outcome: "reordered",
    label: "Pay, told out of order",
    hint: "A first card is declined, a second one accepted, and the shop hears of the first one last.",
    look: "",
  },
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
      .choices .hint { margin-top: var(--space-1); color: var(--color-muted); font-size: var(--text-s); text-align: center; }
      summary { padding: var(--space-3); font-weight: 620; text-align: center; cursor: pointer; }
      details .choices { margin-top: var(--space-3); }
      .late { display: flex; align-items: center; justify-content: space-between; gap: var(--space-3); margin-bottom: var(--space-2); }
      .late .input { width: 6rem; }
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

  /** @param {SandboxChoice["outcome"]} outcome */
  async #choose(outcome) {
    const minutes = /** @type {HTMLInputElement} */ (this.renderRoot.querySelector("#minutes"));
    if (this.busy || (outcome === "late" && !minutes.reportValidity())) return;
    Object.assign(this, { busy: true, message: "" });
    try {
      const delay = outcome === "late" ? { delay: minutes.valueAsNumber * 60 } : {};
      const payment = await post(this.path, { outcome, ...delay });
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
    return html`<div class="choices">${CHOICES.map((choice) => this.#choice(choice))}</div>
    <details>
      <summary>When the news goes astray</summary>
      <div class="choices">
        <p class="small">A payment provider tells the shop by notices what became of a payment. Here the payment succeeds, but its notices misbehave.</p>
        ${ODD_CHOICES.map((choice) => this.#choice(choice))}
      </div>
    </details>
    <a class="button quiet wide" href=${return_url}>Back without paying</a>`;
  }

  /** @param {Choice} choice */
  #choice({ outcome, label, hint, look }) {
    const minutes = html`<div class="late"><label class="label" for="minutes">Minutes until the shop hears</label>
      <input class="input number" id="minutes" type="number" inputmode="numeric" min="0" max="1440" step="1" value="6" required /></div>`;
    return html`<div>
      ${outcome === "late" ? minutes : nothing}
      <button type="button" class="button wide ${look}" aria-disabled=${this.busy} aria-describedby=${outcome} @click=${() => this.#choose(outcome)}>${label}</button>
      <p class="hint" id=${outcome}>${hint}</p>
    </div>`;
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
