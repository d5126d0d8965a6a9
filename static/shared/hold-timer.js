/**
 * `<hold-timer deadline="1790000000000" now-offset="-120">`: the time left, as 4:59. `deadline` is in ms by the server's clock,
 * `now-offset` is the server's clock minus this device's, in ms. Fires `expired` once. Only milestones are read out.
 */

import { css, html, LitElement } from "lit";
import { countdown } from "./format.js";

const MILESTONES = [
  { at: 120_000, words: "2 minutes left" },
  { at: 60_000, words: "1 minute left" },
  { at: 30_000, words: "30 seconds left" },
];
const URGENT_MS = 60_000;
const EXPIRED = "Time is up";

class HoldTimer extends LitElement {
  static properties = {
    deadline: { type: Number },
    nowOffset: { type: Number, attribute: "now-offset" },
    left: { state: true },
    milestone: { state: true },
  };

  static styles = css`
    :host { display: inline-block; font-variant-numeric: tabular-nums; font-weight: 680; }
    .urgent { color: var(--color-accent); }
    .visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  `;

  constructor() {
    super();
    this.deadline = 0;
    this.nowOffset = 0;
    this.left = Number.POSITIVE_INFINITY;
    this.milestone = "";
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  connectedCallback() {
    super.connectedCallback();
    this.#tick();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (!changed.has("deadline") && !changed.has("nowOffset")) return;
    this.left = Number.POSITIVE_INFINITY;
    this.milestone = "";
    this.#tick();
  }

  #tick() {
    clearTimeout(this.timer);
    if (!this.deadline) return;
    const before = this.left;
    this.left = Math.max(0, this.deadline - Date.now() - this.nowOffset);
    if (Number.isFinite(before)) this.#announce(before);
    if (this.left > 0) this.timer = setTimeout(() => this.#tick(), (this.left % 1000) + 1);
    else if (before > 0) this.dispatchEvent(new Event("expired"));
  }

  /** @param {number} before */
  #announce(before) {
    if (this.left === 0) this.milestone = EXPIRED;
    const passed = MILESTONES.find(({ at }) => before > at && this.left <= at);
    if (passed) this.milestone = passed.words;
  }

  render() {
    const time = Number.isFinite(this.left) ? countdown(this.left) : "";
    return html`<span role="timer" class=${this.left <= URGENT_MS ? "urgent" : ""}>${time}</span>
      <span role="status" class="visually-hidden">${this.milestone}</span>`;
  }
}

customElements.define("hold-timer", HoldTimer);
