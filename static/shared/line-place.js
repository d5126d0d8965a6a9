/**
 * `<line-place .line .variant .standing .open .stale .shop .clockOffset>`: one viewer's way through the line for a sold-out
 * variant: joining it, the place, the turn, and how it ended. `.open`: it can be joined now.
 */

import { css, html, LitElement, nothing } from "lit";
import { controls } from "./controls.js";
import { count } from "./format.js";
import "./hold-card.js";
import "./icon.js";

/** @import {Standing, WaitingLine} from "./waiting-line.js" */

class LinePlace extends LitElement {
  static properties = {
    line: { attribute: false },
    variant: { attribute: false },
    standing: { attribute: false },
    open: { type: Boolean },
    stale: { type: Boolean },
    shop: { attribute: false },
    clockOffset: { attribute: false },
  };

  static styles = [
    controls,
    css`
      .stack { gap: var(--space-3); }
      .card { display: grid; gap: var(--space-3); border-color: transparent; background: var(--color-sunken); }
      h3 { display: flex; align-items: center; gap: var(--space-2); }
      .primary { min-height: 3.125rem; font-size: var(--text-l); }
    `,
  ];

  constructor() {
    super();
    /** @type {WaitingLine | null} */
    this.line = null;
    this.variant = "";
    /** @type {Standing | undefined} */
    this.standing = undefined;
    this.open = false;
    this.stale = false;
    this.shop = "";
    this.clockOffset = 0;
  }

  render() {
    const { standing } = this;
    if (standing?.state === "turn") return this.#turn(standing.hold);
    if (standing?.state === "waiting") return this.#waiting(standing.place);
    const isAsking = standing?.state === "asking";
    return html`<div class="stack">
      <div role="status">${news(standing)}</div>
      ${this.open || isAsking ? this.#join(isAsking, standing?.state === "passed") : nothing}
    </div>`;
  }

  /** @param {import("./messages.js").Hold} hold */
  #turn(hold) {
    return html`<hold-card offer="It is your turn" .hold=${hold} .shop=${this.shop} .nowOffset=${this.clockOffset}
      @decline=${() => this.line?.decline(hold)}></hold-card>`;
  }

  /** @param {number} place */
  #waiting(place) {
    return html`<div class="card">
      <div role="status">
        <h3><ui-icon name="hourglass"></ui-icon>You are number ${count(place)} in line</h3>
        <p class="muted small">If one comes back and it is your turn, it is set aside for you. Keep this show open.</p>
      </div>
      <button type="button" class="button wide" @click=${() => this.line?.leave(this.variant)}>Leave the line</button>
    </div>`;
  }

  /** @param {boolean} isAsking @param {boolean} again */
  #join(isAsking, again) {
    const label = again ? "Wait in line again" : "Wait in line";
    const busy = this.stale ? "Waiting for the connection…" : "One moment…";
    return html`<button type="button" class="button primary wide" aria-disabled=${isAsking}
      @click=${() => isAsking || this.line?.wait(this.variant)}>${isAsking ? busy : label}</button>`;
  }
}

/** How a place in line ended, or why it takes a while to get one. @param {Standing | undefined} standing */
function news(standing) {
  if (standing?.state === "passed")
    return html`<div class="card"><div><h3>Your turn has passed</h3>
      <p class="muted small">The time was up, so somebody else can have it now.</p></div></div>`;
  const message = standing && "message" in standing ? standing.message : "";
  if (!message) return nothing;
  return html`<p class="notice"><ui-icon name="info"></ui-icon><span>${message}</span></p>`;
}

customElements.define("line-place", LinePlace);
