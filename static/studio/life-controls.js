import { css, html, LitElement } from "lit";
import { del, post } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import "../shared/dialog.js";
import { told } from "./told.js";

/** @import {Life} from "../shared/messages.js" */

/** Start, end with a question, and ten seconds in which the end can be taken back. */
class LifeControls extends LitElement {
  static properties = {
    room: {},
    life: { attribute: false },
    clockOffset: { attribute: false },
    asking: { state: true },
    busy: { state: true },
  };

  static styles = [
    controls,
    css`
      .undo { display: flex; align-items: center; gap: var(--space-3); }
      .undo p { margin: 0; font-variant-numeric: tabular-nums; }
      .actions { display: flex; justify-content: flex-end; gap: var(--space-2); margin-top: var(--space-5); }
    `,
  ];

  constructor() {
    super();
    this.room = "";
    /** @type {Life | null} */
    this.life = null;
    this.clockOffset = 0;
    this.asking = false;
    this.busy = false;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.ticking = undefined;
  }

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    if (!changed.has("life")) return;
    clearInterval(this.ticking);
    if (this.life?.status === "ending") this.ticking = setInterval(() => this.requestUpdate(), 250);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.ticking);
  }

  /** @param {() => Promise<Life>} call */
  async #change(call) {
    this.busy = true;
    this.asking = false;
    await told(call());
    this.busy = false;
  }

  #start = () => this.#change(() => post(`rooms/${this.room}/start`));
  #end = () => this.#change(() => post(`rooms/${this.room}/end`));
  #undo = () => this.#change(() => del(`rooms/${this.room}/end`));

  render() {
    const status = this.life?.status;
    if (status === "ending") return this.#undoBar();
    if (status === "live") return this.#endButton();
    if (status !== "scheduled") return html`<p>The show has ended.</p>`;
    return html`<button class="button primary" ?disabled=${this.busy} @click=${this.#start}>Start the show</button>`;
  }

  #endButton() {
    return html`
      <button class="button danger" ?disabled=${this.busy} @click=${() => {
        this.asking = true;
      }}>End the show</button>
      <ui-dialog heading="End the show?" .open=${this.asking} @close=${this.#stay}>
        <p>Viewers can buy for a few more seconds, and you can take it back until then. After that the show is over for good.</p>
        <div class="actions">
          <button class="button" @click=${this.#stay}>Keep going</button>
          <button class="button danger" @click=${this.#end}>End the show</button>
        </div>
      </ui-dialog>
    `;
  }

  #stay = () => {
    this.asking = false;
  };

  #undoBar() {
    const left = Math.max(0, (this.life?.ending_at ?? 0) - Date.now() - this.clockOffset);
    return html`
      <div class="undo" role="alert">
        <p>Ending<span aria-hidden="true"> in ${Math.ceil(left / 1000)} s</span></p>
        <button class="button primary" ?disabled=${this.busy || left === 0} @click=${this.#undo}>Undo</button>
      </div>
    `;
  }
}

customElements.define("life-controls", LifeControls);
