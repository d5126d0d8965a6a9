import { css, html, LitElement } from "lit";
import { controls } from "../shared/controls.js";
import { parseMoney } from "../shared/format.js";
import { checkPrice, priceText } from "./price.js";

/** @import {AnchorVariantTerms} from "../shared/messages.js" */
/**
 * What the form shows of a variant; `price` in this room, `store` units that the shop could still give (null: unknown).
 * @typedef {{id: string, title: string, price: number, limit: number, allotment: number, store: number | null}} TermsRow
 */

/** Selling terms of one product in one room: per variant a price, a limit and units. Fires `terms` with AnchorVariantTerms[]. */
class TermsForm extends LitElement {
  static properties = { rows: { attribute: false }, currency: {}, action: {}, busy: { type: Boolean } };

  static styles = [
    controls,
    css`
      fieldset { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: var(--space-2); align-items: end; margin: 0 0 var(--space-4); padding: 0; border: 0; }
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
    this.currency = "EUR";
    this.action = "Save";
    this.busy = false;
  }

  /** @param {SubmitEvent} event */
  #submit = (event) => {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const terms = this.rows.map((row) => this.#terms(row, data));
    this.dispatchEvent(new CustomEvent("terms", { detail: terms }));
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
        ${this.rows.map((row) => this.#row(row))}
        <div class="actions"><button class="button primary" ?disabled=${this.busy}>${this.action}</button></div>
      </form>
    `;
  }

  /** @param {TermsRow} row */
  #row(row) {
    return html`
      <fieldset>
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
