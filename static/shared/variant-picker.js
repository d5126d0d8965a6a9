/**
 * `<variant-picker .options .offers .chosen>`: one radio group per option; sold-out values stay readable and selectable, and
 * say so. Fires `choose` with the variant's id as `detail`.
 */

import { css, html, LitElement, nothing } from "lit";
import { controls } from "./controls.js";
import { isSoldOut } from "./offers.js";

/** @import {Offer} from "./offers.js" */

class VariantPicker extends LitElement {
  static properties = {
    options: { attribute: false },
    offers: { attribute: false },
    chosen: {},
  };

  static styles = [
    controls,
    css`
      :host { display: grid; gap: var(--space-4); }
      legend { padding: 0; margin-bottom: var(--space-2); font-size: var(--text-s); font-weight: 620; }
      legend span { color: var(--color-muted); font-weight: 460; }
      .chips { display: flex; flex-wrap: wrap; gap: var(--space-2); }
      label { position: relative; cursor: pointer; }
      input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
      .value {
        display: grid; align-content: center; justify-items: center; min-width: 3.25rem; min-height: var(--touch); padding: 0.25rem 1rem;
        border: 1px solid var(--color-control); border-radius: var(--radius-m); background: var(--color-surface);
        font-size: var(--text-s); font-weight: 580; line-height: 1.2; text-align: center; transition: background var(--motion-fast);
      }
      label:hover .value { background: var(--color-sunken); }
      input:checked + .value { border-color: var(--color-ink); box-shadow: inset 0 0 0 1px var(--color-ink); background: var(--color-sunken); }
      input:focus-visible + .value { outline: 3px solid var(--color-focus); outline-offset: 2px; }
      .out { border-style: dashed; color: var(--color-muted); }
      .out small { font-size: var(--text-xs); font-weight: 460; }
    `,
  ];

  constructor() {
    super();
    /** @type {string[]} */
    this.options = [];
    /** @type {Offer[]} */
    this.offers = [];
    this.chosen = "";
  }

  /** The offer that choosing `value` for option `at` leads to: the same otherwise, or the first that has it. @param {number} at @param {string} value */
  #target(at, value) {
    const current = this.offers.find(({ id }) => id === this.chosen);
    const wanted = current?.options.with(at, value);
    const exact = this.offers.find(({ options }) => wanted?.every((text, index) => text === options[index]));
    return exact ?? this.offers.find(({ options }) => options[at] === value);
  }

  /** @param {number} at @param {string} value @param {string | undefined} current */
  #chip(at, value, current) {
    const target = this.#target(at, value);
    const out = target !== undefined && isSoldOut(target);
    return html`<label>
      <input type="radio" name="option-${at}" .value=${value} .checked=${value === current}
        @change=${() => this.dispatchEvent(new CustomEvent("choose", { detail: target?.id }))} />
      <span class="value ${out ? "out" : ""}">${value}${out ? html`<small>sold out</small>` : nothing}</span>
    </label>`;
  }

  /** @param {string} name @param {number} at */
  #group(name, at) {
    const current = this.offers.find(({ id }) => id === this.chosen)?.options[at];
    const values = [...new Set(this.offers.flatMap(({ options }) => options[at] ?? []))];
    return html`<fieldset>
      <legend>${name} <span>${current}</span></legend>
      <div class="chips">${values.map((value) => this.#chip(at, value, current))}</div>
    </fieldset>`;
  }

  render() {
    return this.options.map((name, at) => this.#group(name, at));
  }
}

customElements.define("variant-picker", VariantPicker);
