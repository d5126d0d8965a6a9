import { css, html, LitElement } from "lit";
import { controls } from "../shared/controls.js";
import { money } from "../shared/format.js";

/** @import {Sales} from "../shared/messages.js" */

/** A show's figures at a glance. */
class SalesBoard extends LitElement {
  static properties = { sales: { attribute: false }, viewers: { type: Number }, stale: { type: Boolean } };

  static styles = [
    controls,
    css`
      dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(6rem, 1fr)); gap: var(--space-4) var(--space-3); margin: 0; }
      div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
      dt { color: var(--color-muted); font-size: var(--text-s); }
      dd { margin: 0; font-size: var(--text-xl); font-weight: 650; font-variant-numeric: tabular-nums; }
      .stale dd { opacity: 0.55; }
      .revenue { grid-column: 1 / -1; }
      .revenue dd { font-size: var(--text-2xl); }
    `,
  ];

  constructor() {
    super();
    /** @type {Sales | null} */
    this.sales = null;
    this.viewers = 0;
    /** The number of viewers is old. */
    this.stale = false;
  }

  render() {
    const revenue = Object.entries(this.sales?.revenue ?? {}).map(([currency, amount]) => money(amount, currency));
    return html`
      <dl>
        ${figure("Revenue", this.sales ? revenue.join(" + ") || "None yet" : "–", "revenue")}
        ${figure("Watching now", this.viewers, this.stale ? "stale" : "")}
        ${figure("Most at once", this.sales?.peak_viewers ?? "–")}
        ${figure("People", this.sales?.unique_viewers ?? "–")}
        ${figure("Orders", this.sales?.orders ?? "–")}
        ${figure("Product taps", this.sales?.taps ?? "–")}
        ${figure("Holds", this.sales?.holds ?? "–")}
      </dl>
    `;
  }
}

/**
 * @param {string} label
 * @param {string | number} value
 */
function figure(label, value, kind = "") {
  const text = typeof value === "number" ? value.toLocaleString() : value;
  return html`<div class=${kind}><dt>${label}</dt><dd>${text}</dd></div>`;
}

customElements.define("sales-board", SalesBoard);
