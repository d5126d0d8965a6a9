/**
 * `<address-form .errors .busy .pay>`: where the parcel goes, and how to reach the buyer. What was typed outlives a reload, in this tab only.
 * Fires `pay` with {email, address} as `detail`. Slot: what stands above the button.
 */

import { css, html, LitElement } from "lit";
import { controls } from "../shared/controls.js";
import { countries, likelyCountry } from "../shared/countries.js";
import { field, fieldError, focusFirstError, textsOf } from "../shared/field.js";

const DRAFT = "checkout-address";

/** @typedef {Record<string, string>} Texts */

/** @returns {Texts} */
function draft() {
  return JSON.parse(sessionStorage.getItem(DRAFT) ?? "{}");
}

class AddressForm extends LitElement {
  static properties = {
    errors: { attribute: false },
    missing: { state: true },
    busy: { type: Boolean },
    label: {},
    known: { attribute: false },
  };

  static styles = [
    controls,
    css`
      form { display: grid; gap: var(--space-4); }
      .pair { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: var(--space-3); }
      select.input { appearance: none; padding-right: 2.5rem; }
      .select { position: relative; display: grid; }
      .select ui-icon { position: absolute; right: 0.875rem; top: 50%; transform: translateY(-50%); pointer-events: none; }
      h2:not(:first-child) { margin-top: var(--space-3); }
    `,
  ];

  constructor() {
    super();
    /** The server's complaints by field. @type {Texts} */
    this.errors = {};
    /** @type {Texts} */
    this.missing = {};
    this.busy = false;
    this.label = "Pay";
    /** What an order begun earlier says. @type {Texts} */
    this.known = {};
    this.countries = countries();
  }

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    if (changed.has("errors") && Object.keys(this.errors).length > 0) focusFirstError(this.renderRoot);
  }

  get #form() {
    return /** @type {HTMLFormElement} */ (this.renderRoot.querySelector("form"));
  }

  #typed() {
    sessionStorage.setItem(DRAFT, JSON.stringify(textsOf(this.#form)));
  }

  /** @param {SubmitEvent} event */
  async #submitted(event) {
    event.preventDefault();
    if (this.busy) return;
    const { email, ...address } = textsOf(this.#form);
    this.errors = {};
    this.missing = this.#mistakes();
    await this.updateComplete;
    if (Object.keys(this.missing).length > 0) focusFirstError(this.renderRoot);
    else this.dispatchEvent(new CustomEvent("pay", { detail: { email, address } }));
  }

  /** @returns {Texts} */
  #mistakes() {
    const inputs = /** @type {NodeListOf<HTMLInputElement>} */ (this.renderRoot.querySelectorAll("input, select"));
    const empty = [...inputs].filter((input) => input.required && input.value.trim() === "");
    const missing = Object.fromEntries(empty.map((input) => [input.name, "Please fill this in."]));
    const email = /** @type {HTMLInputElement} */ (this.#form.elements.namedItem("email"));
    if (!missing.email && !email.validity.valid) missing.email = "This does not look like an e-mail address.";
    return missing;
  }

  /** @param {string} chosen @param {string | undefined} error */
  #country(chosen, error) {
    const options = this.countries.map(
      ({ code, name }) => html`<option value=${code} ?selected=${code === chosen}>${name}</option>`,
    );
    return html`<div class="field">
      <label for="country">Country</label>
      <div class="select">
        <select class="input" id="country" name="country" autocomplete="country" required aria-invalid=${error ? "true" : "false"}>
          <option value="">Choose a country</option>${options}
        </select>
        <ui-icon name="chevron-down"></ui-icon>
      </div>
      ${fieldError("country", error)}
    </div>`;
  }

  render() {
    const texts = /** @type {Texts} */ ({ country: likelyCountry(), ...this.known, ...draft() });
    const errors = /** @type {Texts} */ ({ ...this.errors, ...this.missing });
    const one = (
      /** @type {string} */ name,
      /** @type {string} */ label,
      /** @type {string} */ autocomplete,
      more = {},
    ) => field({ name, label, autocomplete, value: texts[name], error: errors[name], ...more });
    return html`<form novalidate @input=${this.#typed} @change=${this.#typed} @submit=${this.#submitted}>
      <h2>Contact</h2>
      ${one("email", "E-mail", "email", { type: "email", keyboard: "email", capitals: "none", maxlength: 254, hint: "For questions about this order. Nothing else is sent there." })}
      <h2>Delivery</h2>
      ${one("name", "Full name", "shipping name")} ${one("street", "Street and number", "shipping address-line1")}
      ${one("extra", "Apartment, floor, c/o", "shipping address-line2", { optional: true })}
      <div class="pair">${one("postcode", "Postcode", "shipping postal-code", { maxlength: 16 })} ${one("city", "City", "shipping address-level2")}</div>
      ${this.#country(texts.country, errors.country)}
      <slot></slot>
      <button class="button primary wide" aria-disabled=${this.busy}>${this.busy ? "One moment…" : this.label}</button>
    </form>`;
  }
}

customElements.define("address-form", AddressForm);
