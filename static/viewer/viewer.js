/**
 * The room as a viewer sees it. The address says what lies over the stage: `/products/…` is that product's sheet, history state
 * `shelf` is the line-up, so Back always closes the topmost.
 */

import { css, html, LitElement, nothing } from "lit";
import { asApiError, get } from "../shared/api.js";
import { bag } from "../shared/bag.js";
import { controls } from "../shared/controls.js";
import "../shared/dialog.js";
import "../shared/header.js";
import "../shared/icon.js";
import { isSelling, LiveRoom, stockOf } from "../shared/live.js";
import { once, unanswered } from "../shared/pending.js";
import "../shared/product-sheet.js";
import { toast } from "../shared/toast.js";
import "../shared/turn-dialog.js";
import { WaitingLine } from "../shared/waiting-line.js";
import "./hold-bar.js";
import "./line-bar.js";
import "./pins.js";
import "./shelf.js";
import "./stage.js";

/** @import {ApiError} from "../shared/api.js" */
/** @import {Anchor, Hold, Product, StockState} from "../shared/messages.js" */
/** @import {ProductSheet} from "../shared/product-sheet.js" */
/** @import {RoomState} from "../shared/room-state.js" */
/** @typedef {{variant: string, quantity: number}} Wanted */

class LiveViewer extends LitElement {
  static properties = { shown: { state: true }, shelf: { state: true }, product: { state: true } };

  static styles = [
    controls,
    css`
      :host { display: grid; grid-template-rows: minmax(0, 1fr); height: 100dvh; }
      site-header, aside { display: none; }
      room-stage { min-height: 0; }
      .bar { display: flex; gap: var(--space-2); align-items: center; justify-content: space-between; padding: var(--space-2) var(--space-3) max(var(--space-3), env(safe-area-inset-bottom)) var(--space-4); }
      .bar .button { border-color: transparent; color: #fff; background: rgb(255 255 255 / 0.2); backdrop-filter: blur(10px); }
      .bar bag-button { border-radius: var(--radius-full); background: rgb(255 255 255 / 0.2); backdrop-filter: blur(10px); }
      .after { max-height: 46dvh; margin: var(--space-2) var(--space-4); padding: var(--space-2) var(--space-4); border-radius: var(--radius-l); background: var(--color-surface); overflow-y: auto; }
      .gone { display: grid; gap: var(--space-4); place-content: center; justify-items: center; padding: var(--space-5); text-align: center; }
      @media (min-width: 60rem) {
        :host { grid-template: auto minmax(0, 1fr) / auto minmax(22rem, 1fr); gap: 0 var(--space-6); width: min(100% - 2 * var(--space-4), var(--page-width)); margin-inline: auto; }
        site-header { display: block; grid-column: 1 / -1; position: static; }
        room-stage { height: calc(100dvh - var(--header-height) - var(--space-5)); aspect-ratio: 9 / 16; border-radius: var(--radius-l); }
        aside { display: block; padding-inline-end: var(--space-2); padding-bottom: var(--space-5); overflow-y: auto; }
        aside p { margin: var(--space-2) 0 var(--space-4); max-width: 60ch; }
        .bar, .after { display: none; }
        pinned-products { margin-bottom: var(--space-3); }
      }
    `,
  ];

  constructor() {
    super();
    this.room = /^\/rooms\/(room_\w+)/.exec(location.pathname)?.[1] ?? "";
    /** Product of the open sheet. @type {string | null} */
    this.shown = null;
    this.shelf = false;
    /** @type {Product | null} */
    this.product = null;
    /** The anchor whose sheet was opened last; kept when it leaves the line-up meanwhile. @type {Anchor | null} */
    this.anchor = null;
    this.live = new LiveRoom(this.room);
    this.line = new WaitingLine(this.live);
  }

  connectedCallback() {
    super.connectedCallback();
    this.live.addEventListener("change", this.#changed);
    this.line.addEventListener("change", this.#changed);
    addEventListener("popstate", this.#route);
    this.addEventListener("click", this.#clicked);
    this.#route();
    this.#settleOld();
  }

  #changed = () => {
    const about = this.live.state?.about;
    const turn = [...this.line.standings.values()].some(({ state }) => state === "turn"); // seen from another tab
    if (about) document.title = turn ? "It is your turn" : `${about.title}, ${about.creator.name}`;
    this.requestUpdate();
  };

  #route = () => {
    this.shown = /^\/products\/(prod_\w+)/.exec(location.pathname)?.[1] ?? null;
    this.shelf = history.state?.shelf === true;
    if (this.shown && this.product?.id !== this.shown) this.#load(this.shown);
  };

  /** @param {string} id */
  async #load(id) {
    this.product = null;
    try {
      const product = await get(`products/${id}`);
      if (this.shown === id) this.product = product;
    } catch (error) {
      toast(asApiError(error).message, { tone: "bad" });
    }
  }

  /** A plain click on a product's link opens it as a sheet. @param {MouseEvent} event */
  #clicked = (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
    const product = link && /^\/products\/(prod_\w+)/.exec(new URL(link.href).pathname)?.[1];
    const anchor = this.live.state?.lineup.anchors.find((other) => other.product === product);
    if (!link || !anchor) return;
    event.preventDefault();
    this.live.tap(anchor.id);
    history.pushState(null, "", link.href);
    this.#route();
  };

  #openShelf = () => {
    history.pushState({ shelf: true }, "");
    this.#route();
  };

  #back = () => history.back();

  /** @param {CustomEvent<Wanted>} event */
  #buy = async (event) => {
    const product = this.shown;
    const sheet = /** @type {ProductSheet} */ (event.target);
    const answer = await this.#hold(event.detail);
    if (this.anchor?.product === product) sheet.result(answer);
    if (this.shown !== product) this.#announce(answer);
    else if (answer.hold?.status === "wanted") location.assign(`/checkout?shop=${this.anchor?.shop.id}`); // every second counts
  };

  /**
   * @param {Wanted} wanted
   * @returns {Promise<{hold?: Hold, error?: ApiError}>}
   */
  async #hold(wanted) {
    try {
      const send = (/** @type {string} */ key, /** @type {boolean} */ retry) =>
        this.live.hold({ ...wanted, key }, retry);
      const hold = await once(this.#place, wanted, send);
      bag.took(hold).catch(() => {}); // the bag asks again by itself; the hold is certain
      return { hold };
    } catch (error) {
      return { error: asApiError(error) };
    }
  }

  /** @param {{hold?: Hold, error?: ApiError}} answer */
  #announce({ hold, error }) {
    if (error) toast(error.message, { tone: "bad" });
    else if (hold?.status === "held") toast("It is in your bag.", { tone: "good" });
    else if (hold?.status === "wanted") toast("It is in your bag, but not set aside: whoever pays first gets it.");
  }

  /** Where a purchase is kept until it is answered; the product's own page knows it by the same name. */
  get #place() {
    return `rooms/${this.room}/holds`;
  }

  /** A purchase that was sent before a reload and never answered. */
  async #settleOld() {
    const pending = unanswered(this.#place);
    if (pending) this.#announce(await this.#hold(/** @type {Wanted} */ (pending.request)));
  }

  render() {
    const { state, fault } = this.live;
    if (fault) return gone(fault.message);
    const selling = isSelling(state);
    const stock = selling ? stockOf(state) : null;
    const anchors = state?.lineup.anchors ?? [];
    const shelf = html`
      <room-shelf .anchors=${anchors} .pinned=${pinnedIds(state)} .stock=${stock} room=${this.room} ?selling=${selling} ?stale=${this.live.stale}></room-shelf>
    `;
    return html`
      <site-header></site-header>
      <room-stage .state=${state} ?stale=${this.live.stale}>
        <hold-bar></hold-bar>
        <line-bar .line=${this.line} .standings=${this.line.standings} .anchors=${anchors} room=${this.room}></line-bar>
        <pinned-products .anchors=${pinned(state)} .stock=${stock} room=${this.room} ?selling=${selling} ?stale=${this.live.stale}></pinned-products>
        ${state?.life.status === "ended" ? html`<div class="after">${shelf}</div>` : nothing}
        <div class="bar">
          <button class="button" @click=${this.#openShelf}><ui-icon name="list"></ui-icon>${anchors.length === 1 ? "1 product" : `${anchors.length} products`}</button>
          <bag-button></bag-button>
        </div>
      </room-stage>
      <aside aria-labelledby="shelf">
        <h2 id="shelf">In this show</h2>
        <p class="muted">${state?.about.description}</p>
        ${shelf}
      </aside>
      <ui-dialog heading="In this show" routed .open=${this.shelf} @close=${this.#back}>${this.shelf ? shelf : nothing}</ui-dialog>
      ${this.#sheet(state, stock)}
      <turn-dialog .line=${this.line} .standings=${this.line.standings} .anchors=${anchors} .shown=${this.shown} .clockOffset=${this.live.clockOffset}></turn-dialog>
    `;
  }

  /**
   * @param {RoomState | null} state
   * @param {Map<string, StockState> | null} stock
   */
  #sheet(state, stock) {
    const anchor = state?.lineup.anchors.find((other) => other.product === this.shown);
    if (anchor) this.anchor = anchor;
    const selling = isSelling(state) && (anchor !== undefined || this.shown === null);
    return html`
      <ui-dialog heading=${state?.about.title ?? ""} routed .open=${this.shown !== null} @close=${this.#back}>
        <product-sheet
          .product=${this.product}
          .anchor=${this.anchor}
          .stock=${stock}
          .line=${this.line}
          .standings=${this.line.standings}
          .selling=${selling}
          .closed=${closedBecause(state)}
          .clockOffset=${this.live.clockOffset}
          ?stale=${this.live.stale}
          @buy=${this.#buy}
        ></product-sheet>
      </ui-dialog>
    `;
  }
}

/** @param {RoomState | null} state */
function closedBecause(state) {
  if (state?.life.status === "scheduled") return "You can buy as soon as the show starts.";
  if (state?.life.status === "ended") return "The show has ended.";
  return "This is no longer part of the show.";
}

/** Pinned anchors, newest first. @param {RoomState | null} state @returns {Anchor[]} */
function pinned(state) {
  if (!state || state.life.status === "ended") return [];
  const anchors = new Map(state.lineup.anchors.map((anchor) => [anchor.id, anchor]));
  return state.pins.pins.toReversed().flatMap((pin) => anchors.get(pin.anchor) ?? []);
}

/** @param {RoomState | null} state */
function pinnedIds(state) {
  return new Set(pinned(state).map((anchor) => anchor.id));
}

/** @param {string} message */
function gone(message) {
  return html`<div class="gone"><p role="alert">${message}</p><a class="button primary" href="/">See what is on</a></div>`;
}

customElements.define("live-viewer", LiveViewer);
