/** `<quantity-stepper .value .max .disabled>`: minus, number, plus. Fires `choose` with the new quantity as `detail`. */

import { css, html, LitElement } from "lit";
import { controls } from "./controls.js";
import "./icon.js";

class QuantityStepper extends LitElement {
  static properties = {
    value: { type: Number },
    max: { type: Number },
    disabled: { type: Boolean },
  };

  static styles = [
    controls,
    css`
      :host { display: inline-block; }
      div { display: flex; align-items: center; border: 1px solid var(--color-control); border-radius: var(--radius-full); background: var(--color-surface); }
      output { min-width: 1.5rem; font-weight: 640; font-variant-numeric: tabular-nums; text-align: center; }
    `,
  ];

  constructor() {
    super();
    this.value = 1;
    this.max = 1;
    this.disabled = false;
  }

  /** @param {number} step */
  #move(step) {
    this.dispatchEvent(new CustomEvent("choose", { detail: this.value + step }));
  }

  render() {
    return html`<div role="group" aria-label="Quantity">
      <button type="button" class="icon-button" aria-label="One less" ?disabled=${this.disabled || this.value <= 1}
        @click=${() => this.#move(-1)}><ui-icon name="minus"></ui-icon></button>
      <output aria-live="polite">${this.value}</output>
      <button type="button" class="icon-button" aria-label="One more" ?disabled=${this.disabled || this.value >= this.max}
        @click=${() => this.#move(1)}><ui-icon name="plus"></ui-icon></button>
    </div>`;
  }
}

customElements.define("quantity-stepper", QuantityStepper);
