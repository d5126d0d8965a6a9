/** Short messages at the foot of the page: `toast("Saved")`. They are read out politely and leave by themselves. */

import { css, html, LitElement } from "lit";
import { repeat } from "lit/directives/repeat.js";
import "./icon.js";

const SHOWN_MS = 6_000;
const ICONS = { plain: "info", good: "circle-check", bad: "circle-alert" };

/** @typedef {keyof typeof ICONS} Tone */
/** @typedef {{id: number, message: string, tone: Tone}} Toast */

class Toasts extends LitElement {
  static properties = { toasts: { state: true } };

  static styles = css`
    :host {
      position: fixed; inset: auto 0 0; display: grid; justify-items: center; gap: 0.5rem; width: auto; height: auto; margin: 0;
      padding: 0 1rem max(1rem, env(safe-area-inset-bottom)); border: 0; overflow: visible; color: inherit; background: none;
      pointer-events: none;
    }
    p {
      display: flex; gap: 0.625rem; align-items: flex-start; max-width: 30rem; margin: 0; padding: 0.75rem 1.125rem;
      border-radius: var(--radius-m); color: var(--color-page); background: var(--color-ink); box-shadow: var(--shadow-float);
      font: 540 var(--text-s) / 1.4 var(--font); animation: rise var(--motion) var(--ease);
    }
    @keyframes rise { from { opacity: 0; transform: translateY(0.75rem); } }
  `;

  constructor() {
    super();
    /** @type {Toast[]} */
    this.toasts = [];
  }

  connectedCallback() {
    super.connectedCallback();
    this.role = "status";
    this.popover = "manual";
    this.showPopover(); // an empty region must be there before its first message, or that one is not read out
  }

  /** @param {string} message @param {Tone} tone */
  add(message, tone) {
    const item = { id: performance.now(), message, tone };
    this.toasts = [...this.toasts.slice(-2), item];
    this.hidePopover();
    this.showPopover(); // again each time: only the newest popover stands above an open dialog
    setTimeout(() => {
      this.toasts = this.toasts.filter((other) => other !== item);
    }, SHOWN_MS);
  }

  render() {
    const one = (/** @type {Toast} */ item) =>
      html`<p><ui-icon name=${ICONS[item.tone]}></ui-icon><span>${item.message}</span></p>`;
    return repeat(this.toasts, (item) => item.id, one);
  }
}

customElements.define("ui-toasts", Toasts);
const region = document.body.appendChild(new Toasts());

/**
 * @param {string} message
 * @param {{tone?: Tone}} [options]
 */
export function toast(message, { tone = "plain" } = {}) {
  region.add(message, tone);
}
