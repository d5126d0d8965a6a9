/**
 * `<ui-dialog heading="…" .open>`: a modal on desktop, a bottom sheet on phones, on the browser's own `<dialog>` (focus is
 * trapped, and returned on closing). Escape, Back, the backdrop and the close button close it; it then fires `close`.
 * Slots: the content, and `footer` for actions.
 *
 * With `routed` the page has given the open dialog an address of its own and closes it on `popstate` itself.
 */

import { css, html, LitElement } from "lit";
import { controls } from "./controls.js";
import "./icon.js";

export class Dialog extends LitElement {
  static properties = {
    heading: {},
    open: { type: Boolean, reflect: true },
    routed: { type: Boolean },
    wide: { type: Boolean, reflect: true },
  };

  static styles = [
    controls,
    css`
      dialog {
        flex-direction: column; width: min(30rem, 100% - 2rem); max-width: none; max-height: min(88dvh, 52rem); padding: 0; border: 0;
        border-radius: var(--radius-l); color: var(--color-ink); background: var(--color-surface); box-shadow: var(--shadow-float);
        overflow: hidden;
      }
      dialog[open] { display: flex; animation: rise var(--motion) var(--ease); }
      :host([wide]) dialog { width: min(46rem, 100% - 2rem); }
      dialog::backdrop { background: var(--color-scrim); animation: fade var(--motion) var(--ease); }
      header { display: flex; align-items: center; gap: var(--space-3); padding: var(--space-3) var(--space-3) var(--space-2) var(--space-5); }
      header h2 { flex: 1; font-size: var(--text-l); }
      .content { --sheet-surface: var(--color-surface); --sheet-inset: var(--space-5); flex: 1; min-height: 0; padding: var(--space-2) var(--space-5) 0; overflow-y: auto; overscroll-behavior: contain; }
      /* Room at the end as content: as padding it would lift whatever sticks to the lower edge. */
      .content::after { content: ""; display: block; height: var(--space-5); }
      footer { padding: var(--space-3) var(--space-5) max(var(--space-4), env(safe-area-inset-bottom)); border-top: 1px solid var(--color-line); }
      footer:not(:has(slot.filled)) { display: none; }
      @keyframes rise { from { opacity: 0; transform: translateY(1.5rem); } }
      @keyframes fade { from { opacity: 0; } }
      @media (max-width: 40rem) {
        dialog, :host([wide]) dialog { width: 100%; max-height: 90dvh; margin: auto 0 0; border-radius: var(--radius-l) var(--radius-l) 0 0; }
        dialog::before { content: ""; flex: none; width: 2.25rem; height: 4px; margin: 0.5rem auto -0.25rem; border-radius: 4px; background: var(--color-line); }
        .content::after { height: max(var(--space-5), env(safe-area-inset-bottom)); }
        @keyframes rise { from { transform: translateY(100%); } }
      }
    `,
  ];

  constructor() {
    super();
    this.heading = "";
    this.open = false;
    this.routed = false;
    this.wide = false;
    /** This dialog's entry in the history, while it is open and not routed. */
    this.entry = "";
    this.onPopState = () => {
      if (this.entry && history.state?.dialog !== this.entry) this.#closed();
    };
  }

  connectedCallback() {
    super.connectedCallback();
    addEventListener("popstate", this.onPopState);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    removeEventListener("popstate", this.onPopState);
  }

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    if (!changed.has("open")) return;
    const dialog = this.#dialog;
    if (this.open && !dialog.open) {
      dialog.showModal();
      this.#enter();
    } else if (!this.open && dialog.open) {
      dialog.close();
      this.#leave();
    }
  }

  get #dialog() {
    return /** @type {HTMLDialogElement} */ (this.renderRoot.querySelector("dialog"));
  }

  #enter() {
    if (this.routed) return;
    this.entry = crypto.randomUUID();
    history.pushState({ ...history.state, dialog: this.entry }, "");
  }

  #leave() {
    if (!this.entry) return;
    const ours = history.state?.dialog === this.entry;
    this.entry = "";
    if (ours) history.back();
  }

  #closed() {
    if (!this.open) return;
    this.open = false;
    this.dispatchEvent(new Event("close"));
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    if (event.target === this.#dialog) this.#closed();
  }

  /** @param {Event} event */
  #cancelled(event) {
    event.preventDefault();
    this.#closed();
  }

  /** @param {Event} event */
  #slotted(event) {
    const slot = /** @type {HTMLSlotElement} */ (event.target);
    slot.classList.toggle("filled", slot.assignedElements().length > 0);
  }

  render() {
    return html`<dialog aria-labelledby="heading" @click=${this.#clicked} @cancel=${this.#cancelled} @close=${this.#closed}>
      <header>
        <h2 id="heading">${this.heading}</h2>
        <button type="button" class="icon-button" aria-label="Close" @click=${this.#closed}><ui-icon name="x"></ui-icon></button>
      </header>
      <div class="content"><slot></slot></div>
      <footer><slot name="footer" @slotchange=${this.#slotted}></slot></footer>
    </dialog>`;
  }
}

customElements.define("ui-dialog", Dialog);
