import { css, html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { asApiError, del, patch, put } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import "../shared/dialog.js";
import { money } from "../shared/format.js";
import "../shared/icon.js";
import { toast } from "../shared/toast.js";
import "./terms-form.js";

/** @import {Anchor, AnchorChange, AnchorVariant, LineUp, Pins, StockState, VariantSales} from "../shared/messages.js" */

/** A room's line-up for its host. Fires `pin` (Anchor) and `lineup` (the new LineUp). */
class LineUpEditor extends LitElement {
  static properties = {
    room: {},
    lineup: { attribute: false },
    pins: { attribute: false },
    stock: { attribute: false },
    sales: { attribute: false },
    stale: { type: Boolean },
    editing: { state: true },
    busy: { state: true },
  };

  static styles = [
    controls,
    css`
      ol { display: grid; gap: var(--space-3); margin: 0; padding: 0; list-style: none; }
      .anchor { display: grid; grid-template-columns: 4rem minmax(0, 1fr) auto; align-items: start; gap: var(--space-3); padding: var(--space-3); border: 1px solid var(--color-line); border-radius: var(--radius-l); background: var(--color-surface); }
      .anchor.pinned { border-color: var(--color-accent); }
      img, .blank { width: 4rem; height: 5rem; border-radius: var(--radius-m); object-fit: cover; background: var(--color-sunken); }
      h3 { margin: 0; font-size: var(--text-m); }
      .pinned-note { display: inline-flex; align-items: center; gap: var(--space-1); color: var(--color-accent); font-size: var(--text-s); font-weight: 600; }
      .tools { display: flex; flex-wrap: wrap; gap: var(--space-2); justify-content: flex-end; }
      .scroll { grid-column: 1 / -1; overflow-x: auto; }
      table { width: 100%; table-layout: fixed; border-collapse: collapse; font-size: var(--text-s); font-variant-numeric: tabular-nums; }
      th, td { padding: var(--space-1) var(--space-2); text-align: end; white-space: nowrap; }
      th:first-child, td:first-child { width: 34%; padding-inline-start: 0; text-align: start; white-space: normal; }
      thead th { color: var(--color-muted); font-weight: 500; }
      tbody th { font-weight: 500; }
      tbody tr { border-top: 1px solid var(--color-line); }
      :host([stale]) .live { color: var(--color-muted); }
      .out { font-weight: 700; color: var(--color-bad); }
      @media (max-width: 40rem) {
        .anchor { grid-template-columns: 4rem minmax(0, 1fr); }
        .tools { grid-column: 1 / -1; gap: var(--space-1); justify-content: flex-start; }
        .tools .button { padding-inline: 0.625rem; font-size: var(--text-s); }
        .tools .icon-button { width: 2.5rem; }
        .limit { display: none; }
        table { font-size: var(--text-xs); }
        th, td { padding-inline: 0.25rem; }
        th:first-child, td:first-child { width: 28%; }
      }
      .empty { margin: 0; padding: var(--space-6); border: 1px dashed var(--color-line); border-radius: var(--radius-l); color: var(--color-muted); text-align: center; }
    `,
  ];

  constructor() {
    super();
    this.room = "";
    /** @type {LineUp} */
    this.lineup = { version: 0, anchors: [] };
    /** @type {Pins} */
    this.pins = { version: 0, pins: [] };
    /** @type {Map<string, StockState>} by variant */
    this.stock = new Map();
    /** @type {Map<string, VariantSales>} */
    this.sales = new Map();
    this.stale = false;
    /** @type {Anchor | null} */
    this.editing = null;
    this.busy = false;
    /** @type {string | null} the button that takes the focus back after its row moved */
    this.refocus = null;
  }

  updated() {
    if (!this.refocus) return;
    const button = this.renderRoot.querySelector(`#${this.refocus}`);
    if (button instanceof HTMLButtonElement && !button.disabled) button.focus();
  }

  /** @param {Promise<LineUp>} answer */
  async #change(answer) {
    this.busy = true;
    try {
      this.#tell(await answer);
      return true;
    } catch (caught) {
      const error = asApiError(caught);
      if (error.details.lineup) this.#tell(/** @type {LineUp} */ (error.details.lineup));
      toast(error.message, { tone: "bad" });
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** @param {LineUp} lineup */
  #tell(lineup) {
    this.dispatchEvent(new CustomEvent("lineup", { detail: lineup }));
  }

  /**
   * @param {number} from
   * @param {-1 | 1} step
   */
  async #move(from, step) {
    const order = this.lineup.anchors.map((anchor) => anchor.id);
    const [moved] = order.splice(from, 1);
    order.splice(from + step, 0, moved);
    this.refocus = `${step < 0 ? "up" : "down"}-${moved}`;
    await this.#change(put(`rooms/${this.room}/lineup`, { version: this.lineup.version, order }));
    await this.updateComplete;
    this.refocus = null;
  }

  /** @param {Anchor} anchor */
  #remove(anchor) {
    return this.#change(del(`rooms/${this.room}/anchors/${anchor.id}`));
  }

  /** @param {CustomEvent<AnchorChange>} event */
  #save = async (event) => {
    const path = `rooms/${this.room}/anchors/${this.editing?.id}`;
    if (await this.#change(patch(path, event.detail))) this.editing = null;
  };

  render() {
    const { anchors } = this.lineup;
    if (anchors.length === 0)
      return html`<p class="empty">The line-up is empty. Add the first product you want to show.</p>`;
    return html`
      <ol>${repeat(
        anchors,
        (anchor) => anchor.id,
        (anchor, index) => this.#anchor(anchor, index),
      )}</ol>
      ${this.#terms()}
    `;
  }

  /**
   * @param {Anchor} anchor
   * @param {number} index
   */
  #anchor(anchor, index) {
    const pinned = this.pins.pins.some((pin) => pin.anchor === anchor.id);
    return html`
      <li class="anchor ${pinned ? "pinned" : ""}">
        ${anchor.image ? html`<img src=${anchor.image} alt="">` : html`<span class="blank"></span>`}
        <div>
          <h3>${anchor.title}</h3>
          ${anchor.mode === "first_paid" ? html`<p class="muted small">First paid, first served</p>` : nothing}
          ${pinned ? html`<span class="pinned-note"><ui-icon name="pin"></ui-icon>Pinned</span>` : nothing}
        </div>
        ${this.#tools(anchor, index, pinned)}
        <div class="scroll">${this.#table(anchor)}</div>
      </li>
    `;
  }

  /**
   * @param {Anchor} anchor
   * @param {number} index
   * @param {boolean} pinned
   */
  #tools(anchor, index, pinned) {
    const last = this.lineup.anchors.length - 1;
    const pin = () => this.dispatchEvent(new CustomEvent("pin", { detail: anchor }));
    const edit = () => {
      this.editing = anchor;
    };
    return html`
      <div class="tools">
        <button class="button ${pinned ? "" : "primary"}" @click=${pin}>
          <ui-icon name=${pinned ? "pin-off" : "pin"}></ui-icon>${pinned ? "Unpin" : "Pin"}
        </button>
        <button class="icon-button" id="up-${anchor.id}" aria-label="Move ${anchor.title} up" ?disabled=${this.busy || index === 0} @click=${() => this.#move(index, -1)}>
          <ui-icon name="arrow-up"></ui-icon>
        </button>
        <button class="icon-button" id="down-${anchor.id}" aria-label="Move ${anchor.title} down" ?disabled=${this.busy || index === last} @click=${() => this.#move(index, 1)}>
          <ui-icon name="arrow-down"></ui-icon>
        </button>
        <button class="button" @click=${edit}>Terms<span class="visually-hidden"> of ${anchor.title}</span></button>
        <button class="button quiet" ?disabled=${this.busy} @click=${() => this.#remove(anchor)}>
          Remove<span class="visually-hidden"> ${anchor.title}</span>
        </button>
      </div>
    `;
  }

  /** @param {Anchor} anchor */
  #table(anchor) {
    return html`
      <table>
        <thead>
          <tr><th scope="col">Variant</th><th scope="col">Price</th><th scope="col" class="limit">Limit</th><th scope="col">Left</th><th scope="col">Held</th><th scope="col">Sold</th><th scope="col">Of</th></tr>
        </thead>
        <tbody>${anchor.variants.map((variant) => this.#variant(anchor, variant))}</tbody>
      </table>
    `;
  }

  /**
   * @param {Anchor} anchor
   * @param {AnchorVariant} variant
   */
  #variant(anchor, variant) {
    const left = this.stock.get(variant.id)?.available;
    const sales = this.sales.get(variant.id);
    const out = left === 0 && variant.allotment > 0;
    return html`
      <tr>
        <th scope="row">${variant.title}</th>
        <td>${money(variant.price, anchor.currency)}</td>
        <td class="limit">${variant.limit}</td>
        <td class="live ${out ? "out" : ""}">${out ? "sold out" : (left ?? "–")}</td>
        <td class="live">${sales?.held ?? "–"}</td>
        <td class="live">${sales?.sold ?? "–"}</td>
        <td>${variant.allotment}</td>
      </tr>
    `;
  }

  #terms() {
    const anchor = this.editing;
    const rows = anchor?.variants.map((variant) => ({ ...variant, store: null })) ?? [];
    return html`
      <ui-dialog
        heading=${anchor ? `Terms of ${anchor.title}` : ""}
        .open=${anchor !== null}
        @close=${() => {
          this.editing = null;
        }}
      >
        ${anchor ? html`<terms-form .rows=${rows} mode=${anchor.mode} currency=${anchor.currency} ?busy=${this.busy} @terms=${this.#save}></terms-form>` : nothing}
      </ui-dialog>
    `;
  }
}

customElements.define("line-up-editor", LineUpEditor);
