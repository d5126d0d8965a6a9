/**
 * `<stock-badge .available=${3} .waiting=${12}>`: units left, or *Sold out* and how many wait in line. `available` null means
 * not known: nothing is shown.
 * Only what changes a buyer's mind is read out (the last few units, sold out, back again), not every sale.
 */

import { css, html, LitElement, nothing } from "lit";
import { count } from "./format.js";

const FEW = 5;

/** @param {number} units @param {boolean} soldOut */
export function stockWords(units, soldOut = units <= 0) {
  if (soldOut) return "Sold out";
  return units <= FEW ? `Only ${count(units)} left` : `${count(units)} left`;
}

/** @param {number} people */
const waitingWords = (people) => (people === 1 ? "1 person waits" : `${count(people)} people wait`);

class StockBadge extends LitElement {
  static properties = {
    available: { type: Number },
    waiting: { type: Number },
    soldOut: { type: Boolean, attribute: "sold-out" },
    stale: { type: Boolean, reflect: true },
  };

  static styles = css`
    :host { display: inline-flex; flex-wrap: wrap; gap: 0 0.45em; font: 640 var(--text-s) / 1.3 var(--font); font-variant-numeric: tabular-nums; white-space: nowrap; }
    span { color: var(--color-muted); transition: opacity var(--motion-fast); }
    .few { color: var(--color-accent); }
    .out { color: var(--color-muted); }
    .line { font-weight: 460; }
    :host([stale]) span { color: var(--color-muted); opacity: 0.55; }
  `;

  constructor() {
    super();
    /** @type {number | null} */
    this.available = null;
    this.waiting = 0;
    this.soldOut = false;
    this.stale = false;
    this.spoken = "off";
  }

  /** @param {Map<string, any>} changed */
  willUpdate(changed) {
    const before = changed.get("available");
    const known = this.available !== null && typeof before === "number";
    const crossed = known && (Math.min(before, Number(this.available)) <= FEW || changed.has("soldOut"));
    this.spoken = crossed ? "polite" : "off";
  }

  get #kind() {
    if (this.soldOut || this.available === 0) return "out";
    return Number(this.available) <= FEW ? "few" : "some";
  }

  render() {
    const known = this.soldOut || this.available !== null;
    const words = known ? stockWords(Number(this.available), this.#kind === "out") : "";
    const title = this.stale ? "Not up to date: no connection" : "";
    const line =
      this.#kind === "out" && this.waiting > 0
        ? html`<span class="line">${waitingWords(this.waiting)}</span>`
        : nothing;
    return html`<span role="status" aria-live=${this.spoken} class=${this.#kind} title=${title}>${words}</span>${line}`;
  }
}

customElements.define("stock-badge", StockBadge);
