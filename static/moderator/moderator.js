import { css, html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { asApiError, put } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import { count, timeOnly } from "../shared/format.js";
import { keepReady } from "../shared/icon.js";
import "../shared/life-chip.js";
import { LiveRoom, stockOf, viewersOf } from "../shared/live.js";
import { offersOf, totalLeft } from "../shared/offers.js";
import "../shared/stock-badge.js";
import { toast } from "../shared/toast.js";
import "./pin-dialog.js";

/** @import {Anchor, LineUp, Pin} from "../shared/messages.js" */
/** @import {RoomState} from "../shared/room-state.js" */
/** @import {PinDialog} from "./pin-dialog.js" */

/** The room for who helps in it: pins and line-up, narrow enough for an OBS dock. Keys: J and K choose, P pins. */
class ModeratorDesk extends LitElement {
  static properties = { busy: { state: true } };

  static styles = [
    controls,
    css`
      :host { max-width: 40rem; margin-inline: auto; padding: var(--space-3); }
      header { display: flex; flex-wrap: wrap; gap: var(--space-1) var(--space-2); align-items: center; margin-bottom: var(--space-4); }
      h1 { flex-basis: 100%; font-size: var(--text-l); }
      h2 { margin-bottom: var(--space-2); font-size: var(--text-m); }
      section { margin-bottom: var(--space-5); }
      li { display: grid; grid-template-columns: 3rem minmax(0, 1fr) auto; gap: var(--space-2) var(--space-3); align-items: center; padding: var(--space-2); border-radius: var(--radius-m); }
      li + li { margin-top: var(--space-1); }
      .lineup li:focus { outline: 3px solid var(--color-focus); outline-offset: -1px; }
      li.pinned { background: var(--color-accent-soft); }
      img, .blank { width: 3rem; height: 3rem; border-radius: var(--radius-s); object-fit: cover; background: var(--color-sunken); }
      h3 { display: -webkit-box; overflow: hidden; -webkit-box-orient: vertical; -webkit-line-clamp: 2; font-size: var(--text-s); line-height: 1.25; text-wrap: wrap; }
      .stale { opacity: 0.55; }
      .by { font-size: var(--text-xs); color: var(--color-muted); }
      .tools { display: flex; gap: var(--space-2); align-items: center; }
      .movers { display: grid; }
      .movers .icon-button { width: 2.25rem; height: 1.75rem; border-radius: var(--radius-s); }
      .tools .button { min-width: 6.25rem; padding-inline: var(--space-3); }
      @media (max-width: 26rem) {
        li { grid-template-columns: 2.5rem minmax(0, 1fr) auto; column-gap: var(--space-2); }
        img, .blank { width: 2.5rem; }
        .tools .button, li > .button { min-width: 5.25rem; padding-inline: var(--space-3); }
        .button ui-icon { display: none; }
      }
      kbd { padding: 0 0.35em; border: 1px solid var(--color-line); border-radius: 4px; font: inherit; font-size: var(--text-xs); }
    `,
  ];

  constructor() {
    super();
    this.room = /^\/moderator\/(room_\w+)/.exec(location.pathname)?.[1] ?? "";
    this.live = new LiveRoom(this.room);
    this.busy = false;
  }

  connectedCallback() {
    super.connectedCallback();
    this.live.addEventListener("change", this.#changed);
    addEventListener("keydown", this.#pressed);
  }

  #changed = () => {
    const title = this.live.state?.about.title;
    if (title) document.title = `Moderate: ${title}`;
    this.requestUpdate();
  };

  get #anchors() {
    return this.live.state?.lineup.anchors ?? [];
  }

  /** @param {"pin" | "lineup"} right */
  #may(right) {
    const rights = this.live.state?.rights ?? [];
    return rights.includes("host") || rights.includes(right);
  }

  get #dialog() {
    return /** @type {PinDialog | null} */ (this.renderRoot.querySelector("pin-dialog"));
  }

  /** The place of the focused row, -1 for none. */
  get #focused() {
    const row = /** @type {ShadowRoot} */ (this.renderRoot).activeElement?.closest("li[data-anchor]");
    return this.#anchors.findIndex((anchor) => anchor.id === row?.getAttribute("data-anchor"));
  }

  /** @param {KeyboardEvent} event */
  #pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || this.#dialog?.asking) return;
    const key = event.key.toLowerCase();
    if (key === "j") this.#focus(this.#focused + 1);
    if (key === "k") this.#focus(this.#focused - 1);
    if (key === "p" && !event.repeat) this.#toggle(this.#anchors[this.#focused]);
  };

  /** @param {number} place */
  #focus(place) {
    const anchor = this.#anchors[Math.max(0, Math.min(place, this.#anchors.length - 1))];
    const row = anchor && this.renderRoot.querySelector(`li[data-anchor="${anchor.id}"]`);
    if (row instanceof HTMLElement) row.focus();
  }

  /** @param {Anchor | undefined} anchor */
  #toggle(anchor) {
    if (anchor && this.#may("pin")) this.#dialog?.toggle(anchor);
  }

  /**
   * @param {Anchor} anchor
   * @param {-1 | 1} step
   */
  async #move(anchor, step) {
    const order = this.#anchors.map(({ id }) => id);
    const from = order.indexOf(anchor.id);
    order.splice(from + step, 0, ...order.splice(from, 1));
    this.busy = true;
    try {
      const seen = this.live.state?.lineup.version ?? 0;
      this.live.learn("lineup", await put(`rooms/${this.room}/lineup`, { version: seen, order }));
    } catch (caught) {
      const error = asApiError(caught);
      if (error.details.lineup) this.live.learn("lineup", /** @type {LineUp} */ (error.details.lineup));
      toast(error.message, { tone: "bad" });
    }
    this.busy = false;
    await this.updateComplete;
    this.#focus(from + step);
  }

  render() {
    const { state, fault } = this.live;
    if (fault) return html`<p role="alert" class="notice bad">${fault.message}</p>`;
    if (!state) return html`<p role="status" class="muted">Opening the room …</p>`;
    if (state.rights.length === 0) return this.#stranger();
    return html`
      ${this.#header(state)}
      <section aria-labelledby="pins"><h2 id="pins">Pinned now</h2>${this.#pins(state)}</section>
      <section aria-labelledby="lineup" class="lineup">
        <h2 id="lineup">Line-up</h2>
        <ol role="list">${repeat(
          this.#anchors,
          (anchor) => anchor.id,
          (anchor, place) => this.#row(state, anchor, place),
        )}</ol>
      </section>
      ${this.#may("pin") ? html`<p class="small muted"><kbd>J</kbd> <kbd>K</kbd> choose, <kbd>P</kbd> pins or unpins.</p>` : nothing}
      <pin-dialog .room=${this.live}></pin-dialog>
    `;
  }

  #stranger() {
    const next = encodeURIComponent(location.pathname);
    return html`<p class="notice"><span>You do not help in this room, or you are not signed in. <a href="/sign-in?next=${next}">Sign in</a>, or ask the host.</span></p>`;
  }

  /** @param {RoomState} state */
  #header({ about, life }) {
    return html`
      <header>
        <h1>${about.title}</h1>
        <life-chip .life=${life}></life-chip>
        <span class="chip number ${this.live.stale ? "stale" : ""}"><ui-icon name="eye"></ui-icon>${count(viewersOf(this.live.state))}<span class="visually-hidden">viewers</span></span>
        ${this.live.stale ? html`<span class="chip warn" role="status"><ui-icon name="wifi-off"></ui-icon>Reconnecting …</span>` : nothing}
      </header>
    `;
  }

  /** @param {RoomState} state */
  #pins({ pins }) {
    if (pins.pins.length === 0) return html`<p class="small muted">Nothing is pinned.</p>`;
    return html`<ul role="list">${repeat(
      pins.pins.toReversed(),
      (pin) => pin.anchor,
      (pin) => this.#pin(pin),
    )}</ul>`;
  }

  /** @param {Pin} pin */
  #pin(pin) {
    const anchor = this.#anchors.find(({ id }) => id === pin.anchor);
    if (!anchor) return nothing;
    const by = `${pin.by.name}, ${timeOnly(pin.at)}`;
    return html`<li class="pinned">${picture(anchor)}<div><h3>${anchor.title}</h3><span class="by">${by}</span></div>${this.#pinButton(anchor, true)}</li>`;
  }

  /**
   * @param {RoomState} state
   * @param {Anchor} anchor
   * @param {number} place
   */
  #row(state, anchor, place) {
    const pinned = state.pins.pins.some((pin) => pin.anchor === anchor.id);
    const left = totalLeft(offersOf(null, anchor, stockOf(state)));
    return html`
      <li data-anchor=${anchor.id} tabindex="-1" class=${pinned ? "pinned" : ""}>
        ${picture(anchor)}
        <div><h3>${anchor.title}</h3><stock-badge .available=${left} ?stale=${this.live.stale}></stock-badge></div>
        <div class="tools">${this.#may("lineup") ? this.#movers(anchor, place) : nothing}${this.#pinButton(anchor, pinned)}</div>
      </li>
    `;
  }

  /**
   * @param {Anchor} anchor
   * @param {number} place
   */
  #movers(anchor, place) {
    const last = this.#anchors.length - 1;
    return html`
      <span class="movers">
      <button class="icon-button" aria-label="Move ${anchor.title} up" ?disabled=${this.busy || place === 0} @click=${() => this.#move(anchor, -1)}><ui-icon name="arrow-up"></ui-icon></button>
      <button class="icon-button" aria-label="Move ${anchor.title} down" ?disabled=${this.busy || place === last} @click=${() => this.#move(anchor, 1)}><ui-icon name="arrow-down"></ui-icon></button>
      </span>
    `;
  }

  /**
   * @param {Anchor} anchor
   * @param {boolean} pinned
   */
  #pinButton(anchor, pinned) {
    if (!this.#may("pin")) return nothing;
    return html`
      <button class="button ${pinned ? "" : "primary"}" @click=${() => this.#toggle(anchor)}>
        <ui-icon name=${pinned ? "pin-off" : "pin"}></ui-icon>${pinned ? "Unpin" : "Pin"}<span class="visually-hidden"> ${anchor.title}</span>
      </button>
    `;
  }
}

/** @param {Anchor} anchor */
function picture(anchor) {
  return anchor.image ? html`<img src=${anchor.image} alt="">` : html`<span class="blank"></span>`;
}

keepReady("wifi-off");
customElements.define("moderator-desk", ModeratorDesk);
