import { css, html, LitElement } from "lit";
import { controls } from "../shared/controls.js";
import { parseMoney } from "../shared/format.js";
import { checkPrice, priceText } from "./price.js";

/** @import {AnchorChange, AnchorVariantTerms} from "../shared/messages.js" */
/**
 * What the form shows of a variant; `price` in this room, `store` units that the shop could still give (null: unknown).
 * @typedef {{id: string, title: string, price: number, limit: number, allotment: number, store: number | null}} TermsRow
 */

const MODES = [
  {
    mode: "hold",
    name: "Hold",
    words: "A tap sets the unit aside for some minutes, so that nobody loses it while they pay.",
  },
  {
    mode: "first_paid",
    name: "First paid, first served",
    words: "A tap sets nothing aside: whoever pays first gets it.",
  },
];

/** Selling terms of a product in a room: its mode, and per variant a price, a limit and units. Fires `terms` with an AnchorChange. */
class TermsForm extends LitElement {
  static properties = { rows: { attribute: false }, mode: {}, currency: {}, action: {}, busy: { type: Boolean } };

  static styles = [
    controls,
    css`
      .variant { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: var(--space-2); align-items: end; margin: 0 0 var(--space-4); padding: 0; border: 0; }
      .modes { margin-bottom: var(--space-5); }
      .modes .check { align-items: flex-start; padding-block: var(--space-2); }
      .modes strong { display: block; font-weight: 600; }
      legend { margin-bottom: var(--space-1); padding: 0; font-weight: 600; }
      input { width: 100%; }
      .field { min-width: 0; }
      .store { grid-column: 1 / -1; margin: 0; color: var(--color-muted); font-size: var(--text-s); }
      .actions { display: flex; justify-content: flex-end; }
    `,
  ];

  constructor() {
    super();
    /** @type {TermsRow[]} */
    this.rows = [];
    /** @type {"hold" | "first_paid"} */
    this.mode = "hold";
    this.currency = "EUR";
    this.action = "Save";
    this.busy = false;
  }

  /** @param {SubmitEvent} event */
  #submit = (event) => {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const mode = /** @type {AnchorChange["mode"]} */ (data.get("mode"));
    const variants = this.rows.map((row) => this.#terms(row, data));
    this.dispatchEvent(new CustomEvent("terms", { detail: { mode, variants } }));
  };

  /**
   * @param {TermsRow} row
   * @param {FormData} data
   * @returns {AnchorVariantTerms}
   */
  #terms(row, data) {
    const field = (/** @type {string} */ name) => String(data.get(`${name}:${row.id}`));
    return {
      variant: row.id,
      price: parseMoney(field("price"), this.currency),
      limit: Number(field("limit")),
      allotment: Number(field("allotment")),
    };
  }

  /** @param {Event} event */
  #checkPrice = (event) => checkPrice(event, this.currency);

  render() {
    return html`
      <form @submit=${this.#submit}>
        <fieldset class="modes">
          <legend>How it is sold</legend>
          ${MODES.map((choice) => this.#mode(choice))}
        </fieldset>
        ${this.rows.map((row) => this.#row(row))}
        <div class="actions"><button class="button primary" ?disabled=${this.busy}>${this.action}</button></div>
      </form>
    `;
  }

  /** @param {typeof MODES[number]} choice */
  #mode({ mode, name, words }) {
    return html`
      <label class="check">
        <input type="radio" name="mode" value=${mode} ?checked=${mode === this.mode}>
        <span><strong>${name}</strong><span class="muted small">${words}</span></span>
      </label>
    `;
  }

  /** @param {TermsRow} row */
  #row(row) {
    return html`
      <fieldset class="variant">
        <legend>${row.title}</legend>
        <label class="field">
          <span class="label">Price (${this.currency})</span>
          <input class="input" name="price:${row.id}" inputmode="decimal" required .value=${priceText(row.price, this.currency)} @input=${this.#checkPrice}>
        </label>
        <label class="field">
          <span class="label">Limit per buyer</span>
          <input class="input" name="limit:${row.id}" type="number" min="1" max="100" required .value=${String(row.limit)}>
        </label>
        <label class="field">
          <span class="label">Units for the show</span>
          <input class="input" name="allotment:${row.id}" type="number" min="0" max="1000000" required .value=${String(row.allotment)}>
        </label>
        ${row.store === null ? "" : html`<p class="store">${row.store} in store stock</p>`}
      </fieldset>
    `;
  }
}

customElements.define("terms-form", TermsForm);
