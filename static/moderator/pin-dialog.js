import { css, html, LitElement, nothing } from "lit";
import { asApiError } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import "../shared/dialog.js";
import { timeOnly } from "../shared/format.js";
import { toast } from "../shared/toast.js";

/** @import {LiveRoom} from "../shared/live.js" */
/** @import {Anchor, Pin} from "../shared/messages.js" */
const ASKING = new Set(["pins_full", "pin_conflict"]);

/** @typedef {{action: "pin" | "unpin", anchor: Anchor}} Wish */

/** Pins and unpins in one click; asks only when a fourth pin needs a place, or when somebody else was faster. */
export class PinDialog extends LitElement {
  static properties = { room: { attribute: false }, wish: { state: true }, reason: { state: true } };

  static styles = [
    controls,
    css`
      ul { display: grid; gap: var(--space-2); margin: var(--space-4) 0 0; padding: 0; list-style: none; }
      li .button { display: grid; gap: 0.125rem; justify-content: start; justify-items: start; width: 100%; padding-block: var(--space-2); border-radius: var(--radius-m); text-align: start; }
      li .primary { justify-content: center; }
      p { margin: 0; }
      small { color: var(--color-muted); font-weight: 480; }
    `,
  ];

  constructor() {
    super();
    /** @type {LiveRoom | null} */
    this.room = null;
    /** @type {Wish | null} */
    this.wish = null;
    this.reason = "";
  }

  /** A question is open. */
  get asking() {
    return this.wish !== null;
  }

  /**
   * Pin the anchor, or unpin it when it is pinned.
   * @param {Anchor} anchor
   */
  toggle(anchor) {
    return this.#send({ action: this.#isPinned(anchor) ? "unpin" : "pin", anchor });
  }

  /**
   * @param {Wish} wish
   * @param {string} [replace] the anchor whose place it takes
   */
  async #send(wish, replace) {
    this.wish = null;
    try {
      await this.room?.pin({ action: wish.action, anchor: wish.anchor.id, replace });
    } catch (caught) {
      const error = asApiError(caught);
      const open = this.#isPinned(wish.anchor) !== (wish.action === "pin");
      if (open && ASKING.has(error.code)) Object.assign(this, { wish, reason: error.message });
      else toast(error.message, { tone: open ? "bad" : "plain" });
    }
  }

  #dismiss = () => {
    this.wish = null;
  };

  /** @param {Anchor} anchor */
  #isPinned(anchor) {
    return this.#pins().some((pin) => pin.anchor === anchor.id);
  }

  #pins() {
    return this.room?.state?.pins.pins ?? [];
  }

  /** @param {string} id */
  #title(id) {
    return this.room?.state?.lineup.anchors.find((anchor) => anchor.id === id)?.title ?? "A product that is gone";
  }

  render() {
    const wish = this.wish;
    const title = wish ? `${wish.action === "pin" ? "Pin" : "Unpin"} ${wish.anchor.title}?` : "";
    return html`
      <ui-dialog heading=${title} .open=${wish !== null} @close=${this.#dismiss}>
        ${wish ? html`<p>${this.reason}</p>${this.#choices(wish)}` : nothing}
      </ui-dialog>
    `;
  }

  /** @param {Wish} wish */
  #choices(wish) {
    const others = this.#pins().filter((pin) => pin.anchor !== wish.anchor.id);
    if (wish.action === "pin" && others.length >= 3) {
      return html`<ul>${others.map((pin) => this.#place(wish, pin))}</ul>`;
    }
    const label = wish.action === "pin" ? "Pin it anyway" : "Unpin it anyway";
    return html`<ul><li><button class="button primary" @click=${() => this.#send(wish)}>${label}</button></li></ul>`;
  }

  /**
   * @param {Wish} wish
   * @param {Pin} pin
   */
  #place(wish, pin) {
    return html`
      <li>
        <button class="button" @click=${() => this.#send(wish, pin.anchor)}>
          <span>Replace ${this.#title(pin.anchor)}</span><small>Pinned by ${pin.by.name}, ${timeOnly(pin.at)}</small>
        </button>
      </li>
    `;
  }
}

customElements.define("pin-dialog", PinDialog);
