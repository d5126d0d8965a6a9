import { css, html, LitElement, nothing } from "lit";
import { controls } from "../shared/controls.js";
import "../shared/icon.js";
import "../shared/life-chip.js";
import { LiveRoom, stockOf, viewersOf } from "../shared/live.js";
import { toast } from "../shared/toast.js";
import "../moderator/pin-dialog.js";
import "./life-controls.js";
import "./line-up-editor.js";
import "./moderator-list.js";
import "./product-picker.js";
import "./sales-board.js";
import { SalesFeed } from "./sales-feed.js";

/** @import {Anchor, LineUp} from "../shared/messages.js" */
/** @import {RoomState} from "../shared/room-state.js" */
/** @import {PinDialog} from "../moderator/pin-dialog.js" */
/** @import {ProductPicker} from "./product-picker.js" */

/** One show, for its host: its life, line-up, pins, figures and helpers. */
class StudioRoom extends LitElement {
  static properties = { room: {} };

  static styles = [
    controls,
    css`
      :host { display: grid; gap: var(--space-5); }
      header { display: flex; flex-wrap: wrap; gap: var(--space-3); align-items: center; justify-content: space-between; }
      h1 { margin: 0; font-size: var(--text-2xl); line-height: 1.15; }
      h2 { margin: 0; font-size: var(--text-l); }
      .where { display: flex; flex-wrap: wrap; gap: var(--space-2); align-items: center; margin-bottom: var(--space-2); }
      .columns { display: grid; gap: var(--space-5); }
      .stack { display: grid; gap: var(--space-5); align-content: start; }
      section { display: grid; gap: var(--space-4); min-width: 0; }
      .bar { display: flex; align-items: center; justify-content: space-between; gap: var(--space-3); }
      .panel { padding: var(--space-4); border: 1px solid var(--color-line); border-radius: var(--radius-l); background: var(--color-surface); }
      .share { display: flex; gap: var(--space-2); }
      .share input { flex: 1; min-width: 0; }
      .note { margin: 0; color: var(--color-muted); font-size: var(--text-s); }
      @media (min-width: 60rem) {
        .columns { grid-template-columns: minmax(0, 1fr) 21rem; }
      }
    `,
  ];

  constructor() {
    super();
    this.room = "";
    /** @type {LiveRoom | null} */
    this.live = null;
    /** @type {SalesFeed | null} */
    this.feed = null;
    /** @type {RoomState["states"] | null} */
    this.counted = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.live = new LiveRoom(this.room);
    this.feed = new SalesFeed(this.room, () => this.requestUpdate());
    this.live.addEventListener("change", this.#changed);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.live?.close();
  }

  #changed = () => {
    const state = this.live?.state;
    if (state && state.states !== this.counted && state.rights.length > 0) this.feed?.moved();
    this.counted = state?.states ?? null;
    if (state) document.title = `Studio: ${state.about.title}`;
    this.requestUpdate();
  };

  render() {
    const state = this.live?.state;
    if (this.live?.fault) return html`<p role="alert">${this.live.fault.message}</p>`;
    if (!state) return html`<p role="status">Opening the room …</p>`;
    if (!state.rights.includes("host")) {
      return html`<p>Only the host runs this show. <a href="/moderator/${this.room}">Open the moderator page</a>.</p>`;
    }
    return html`
      ${this.#header(state)}
      <div class="columns">
        <section aria-labelledby="lineup">${this.#lineUp(state)}</section>
        <div class="stack">${this.#side(state)}</div>
      </div>
      <pin-dialog .room=${this.live}></pin-dialog>
    `;
  }

  /** @param {RoomState} state */
  #header(state) {
    return html`
      <header>
        <div>
          <div class="where">
            <a href="/studio">Studio</a>
            <life-chip .life=${state.life}></life-chip>
            ${this.live?.stale ? html`<span class="note" role="status">Reconnecting …</span>` : nothing}
          </div>
          <h1>${state.about.title}</h1>
        </div>
        <life-controls
          room=${this.room}
          .life=${state.life}
          .clockOffset=${this.live?.clockOffset ?? 0}
        ></life-controls>
      </header>
    `;
  }

  /** @param {RoomState} state */
  #lineUp(state) {
    const sales = new Map(this.feed?.sales?.variants.map((variant) => [variant.variant, variant]));
    const taken = new Set(state.lineup.anchors.map((anchor) => anchor.product));
    return html`
      <div class="bar">
        <h2 id="lineup">Line-up</h2>
        <button class="button" @click=${this.#pick}><ui-icon name="plus"></ui-icon>Add a product</button>
      </div>
      <line-up-editor
        room=${this.room}
        .lineup=${state.lineup}
        .pins=${state.pins}
        .stock=${stockOf(state)}
        .sales=${sales}
        ?stale=${this.live?.stale}
        @pin=${this.#pin}
        @lineup=${this.#learn}
      ></line-up-editor>
      <product-picker room=${this.room} .taken=${taken} @lineup=${this.#learn}></product-picker>
    `;
  }

  #pick = () => {
    /** @type {ProductPicker} */ (this.renderRoot.querySelector("product-picker")).show();
  };

  /** @param {CustomEvent<Anchor>} event */
  #pin = (event) => {
    /** @type {PinDialog} */ (this.renderRoot.querySelector("pin-dialog")).toggle(event.detail);
  };

  /** @param {CustomEvent<LineUp>} event */
  #learn = (event) => this.live?.learn("lineup", event.detail);

  /** @param {RoomState} state */
  #side(state) {
    return html`
      <section class="panel" aria-labelledby="sales">
        <h2 id="sales">This show</h2>
        <sales-board .sales=${this.feed?.sales ?? null} viewers=${viewersOf(state)} ?stale=${this.live?.stale}></sales-board>
      </section>
      <section class="panel" aria-labelledby="share">
        <h2 id="share">Share</h2>
        ${this.#link("Link for viewers", `/rooms/${this.room}`)} ${this.#link("Page for moderators, also as an OBS dock", `/moderator/${this.room}`)}
      </section>
      <section class="panel" aria-labelledby="moderators">
        <h2 id="moderators">Moderators</h2>
        <moderator-list room=${this.room}></moderator-list>
      </section>
    `;
  }

  /**
   * @param {string} label
   * @param {string} path
   */
  #link(label, path) {
    const address = location.origin + path;
    const copy = async () => {
      await navigator.clipboard.writeText(address);
      toast("The link is copied.");
    };
    return html`
      <div>
        <label class="field">
          <span class="label">${label}</span>
          <span class="share">
            <input class="input" readonly .value=${address}>
            <button class="icon-button" aria-label="Copy: ${label}" @click=${copy}><ui-icon name="copy"></ui-icon></button>
          </span>
        </label>
      </div>
    `;
  }
}

customElements.define("studio-room", StudioRoom);
