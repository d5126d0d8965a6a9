/** `<seller-actions .order>`: what the shop can do with an order now. Fires `changed` with the new order as `detail`. */

import { css, html, LitElement, nothing } from "lit";
import { asApiError, newKey, post } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import "../shared/dialog.js";
import { field, textsOf } from "../shared/field.js";
import { money } from "../shared/format.js";
import { problem } from "../shared/page-states.js";
import { toast } from "../shared/toast.js";

/** @import {Order} from "../shared/messages.js" */

/** @typedef {"ship" | "deliver" | "refund" | "cancel"} Action */

/** @type {Record<Order["status"], Action[]>} */
const ALLOWED = {
  pending: ["cancel"],
  authorised: ["cancel"],
  confirmed: ["cancel"],
  paid: ["ship", "refund", "cancel"],
  shipped: ["deliver", "refund"],
  delivered: ["refund"],
  cancelled: [],
  refunded: [],
};
const LABELS = { ship: "Mark as shipped", deliver: "Mark as delivered", refund: "Refund", cancel: "Cancel order" };
const DONE = {
  ship: "Marked as shipped.",
  deliver: "Marked as delivered.",
  refund: "The money goes back.",
  cancel: "Order cancelled.",
};

class SellerActions extends LitElement {
  static properties = {
    order: { attribute: false },
    asking: { state: true },
    message: { state: true },
    busy: { state: true },
  };

  static styles = [controls, css`form { display: grid; gap: var(--space-4); }`];

  constructor() {
    super();
    /** @type {Order | null} */
    this.order = null;
    /** @type {Action | null} */
    this.asking = null;
    this.message = "";
    this.busy = false;
    this.operation = "";
  }

  /** @param {Action} action */
  #ask(action) {
    Object.assign(this, { asking: action, message: "", operation: newKey() });
  }

  /** @param {SubmitEvent} event */
  #submitted(event) {
    event.preventDefault();
    const texts = textsOf(/** @type {HTMLFormElement} */ (event.target));
    if (this.asking === "ship") this.#do("ship", { tracking: texts.tracking ?? "" });
    if (this.asking === "refund")
      this.#do("refund", { operation: this.operation, return_units: texts.return_units === "on" });
    if (this.asking === "cancel" || this.asking === "deliver") this.#do(this.asking);
  }

  /** @param {Action} action @param {object} [body] */
  async #do(action, body) {
    if (this.busy) return;
    this.busy = true;
    try {
      const order = await post(`orders/${this.order?.id}/${action}`, body);
      this.asking = null;
      toast(DONE[action], { tone: "good" });
      this.dispatchEvent(new CustomEvent("changed", { detail: order }));
    } catch (error) {
      this.message = asApiError(error).message;
    }
    this.busy = false;
  }

  /** @param {Order} order */
  #question(order) {
    const amount = money(order.total, order.currency);
    if (this.asking === "ship")
      return field({ name: "tracking", label: "Tracking number", optional: true, hint: "The buyer sees it." });
    if (this.asking === "deliver") return html`<p>Did the parcel arrive? The order is then complete.</p>`;
    if (this.asking === "cancel")
      return html`<p>The order ends here, its items go back on sale, and money that was taken goes back.</p>`;
    return html`<p>${amount} go back to the buyer, in full.</p>
      <label class="check"><input type="checkbox" name="return_units" /><span>Also put the units back on sale<br /><span class="muted small">Only when you have them back, fit to be sold.</span></span></label>`;
  }

  /** @param {Order} order */
  #dialog(order) {
    const action = this.asking;
    return html`<ui-dialog heading="${action ? LABELS[action] : ""}" .open=${action !== null} @close=${() => (this.asking = null)}>
      <form id="act" @submit=${this.#submitted}>${action ? this.#question(order) : nothing} ${problem(this.message)}</form>
      <div slot="footer" class="row">
        <button form="act" class="button ${action === "cancel" || action === "refund" ? "danger" : "primary"}" aria-disabled=${this.busy}>${this.busy ? "One moment…" : action && LABELS[action]}</button>
        <button type="button" class="button quiet" @click=${() => (this.asking = null)}>Not now</button>
      </div>
    </ui-dialog>`;
  }

  render() {
    if (!this.order) return nothing;
    const actions = ALLOWED[this.order.status];
    const button = (/** @type {Action} */ action, /** @type {number} */ index) =>
      html`<button type="button" class="button ${index === 0 && action !== "cancel" && action !== "refund" ? "primary" : ""}" @click=${() => this.#ask(action)}>${LABELS[action]}</button>`;
    return html`${actions.length > 0 ? html`<div class="row">${actions.map(button)}</div>` : html`<p class="muted">There is nothing left to do here.</p>`}
      ${this.#dialog(this.order)}`;
  }
}

customElements.define("seller-actions", SellerActions);
