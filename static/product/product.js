/**
 * A product's own page. `?room=` brings the terms and the live stock of a show; without it, or once the show is over, the
 * shop's store sells.
 */

import { css, html, LitElement, nothing } from "lit";
import { asApiError, get, post } from "../shared/api.js";
import { bag } from "../shared/bag.js";
import { controls } from "../shared/controls.js";
import { dateTime } from "../shared/format.js";
import "../shared/header.js";
import { me } from "../shared/me.js";
import { failed } from "../shared/page-states.js";
import { cameTooLate, once, unanswered, untilAnswered } from "../shared/pending.js";
import "../shared/product-sheet.js";
import { isSelling, stockOf } from "../shared/room-state.js";
import "../shared/turn-dialog.js";
import { RoomTerms } from "./room-terms.js";

/** @import {ApiError} from "../shared/api.js" */
/** @import {Hold, Product} from "../shared/messages.js" */
/** @import {ProductSheet} from "../shared/product-sheet.js" */

const STOCK_REFRESH_MS = 15_000;
/** Without a show there are no places in line. @type {Map<string, import("../shared/waiting-line.js").Standing>} */
const NOWHERE = new Map();

/** A reload on a sheet's address opens this page inside the room's history: going back must open the room itself. */
function leaveWithAddress() {
  if (!location.pathname.startsWith("/products/")) location.reload();
}

class ProductPage extends LitElement {
  static properties = { product: { state: true }, error: { state: true }, offline: { state: true } };

  static styles = [
    controls,
    css`
      .crumbs { display: flex; align-items: center; gap: var(--space-3); min-height: var(--touch); margin-bottom: var(--space-3); }
      .crumbs a { display: inline-flex; align-items: center; gap: var(--space-2); min-height: var(--touch); font-weight: 600; text-decoration: none; }
      .crumbs a:hover { text-decoration: underline; }
      .notice { margin-bottom: var(--space-4); }
      .wait { display: grid; gap: var(--space-5); }
      .wait .skeleton:first-child { aspect-ratio: 1; max-width: 34rem; }
      .wait .skeleton:last-child { height: 3rem; max-width: 20rem; }
    `,
  ];

  constructor() {
    super();
    const parameters = new URLSearchParams(location.search);
    this.productId = location.pathname.split("/")[2] ?? "";
    /** @type {RoomTerms | null} */
    this.room = parameters.has("room") ? new RoomTerms(parameters.get("room") ?? "") : null;
    /** @type {Product | null} */
    this.product = null;
    /** @type {ApiError | null} */
    this.error = null;
    this.offline = false;
  }

  connectedCallback() {
    super.connectedCallback();
    this.room?.addEventListener("change", () => this.requestUpdate());
    this.load();
    addEventListener("popstate", leaveWithAddress);
    setInterval(() => document.visibilityState === "visible" && this.#refresh(), STOCK_REFRESH_MS);
  }

  async load() {
    this.error = null;
    try {
      const [product] = await Promise.all([get(`products/${this.productId}`), this.#loadRoom()]);
      this.product = product;
      document.title = product.title;
    } catch (error) {
      this.error = asApiError(error);
      return;
    }
    await this.updateComplete;
    const kept = unanswered(this.#place);
    if (kept) this.#buy(/** @type {{variant: string, quantity: number}} */ (kept.request));
  }

  /** A show that cannot be read leaves the shop's own terms. */
  async #loadRoom() {
    await this.room?.load().catch(() => {
      this.room = null;
    });
  }

  /** Store stock has no live line: look again now and then. */
  async #refresh() {
    this.product = await get(`products/${this.productId}`).catch(() => this.product);
  }

  get #sheet() {
    return /** @type {ProductSheet} */ (this.renderRoot.querySelector("product-sheet"));
  }

  get #anchor() {
    return this.room?.isOver ? null : (this.room?.anchorOf(this.productId) ?? null);
  }

  /** Where holds are taken; also the name under which an unanswered one is kept. */
  get #place() {
    return this.#anchor ? `rooms/${this.room?.id}/holds` : `products/${this.productId}/holds`;
  }

  /** @param {{variant: string, quantity: number}} request */
  async #buy(request) {
    const sheet = this.#sheet;
    const place = this.#place;
    sheet.waiting(request);
    try {
      await untilAnswered(me, () => this.#lost());
      const hold = await once(place, request, (key, kept) => this.#send(place, { ...request, key }, kept));
      await bag.took(hold).catch(() => {});
      sheet.result({ hold });
      if (hold.status === "wanted") location.assign(`/checkout?shop=${this.product?.shop.id}`); // every second counts
    } catch (error) {
      sheet.result({ error: asApiError(this.offline ? cameTooLate(error) : error) });
      this.#refresh();
    }
    this.offline = false;
  }

  /** @param {string} place @param {object} request @param {boolean} kept @returns {Promise<Hold>} */
  #send(place, request, kept) {
    return untilAnswered(
      (again) => post(place, { ...request, retry: kept || again }),
      () => this.#lost(),
    );
  }

  #lost() {
    this.offline = true;
  }

  get #closed() {
    if (this.product?.status === "archived") return "This product is no longer sold.";
    if (!this.#anchor || isSelling(this.room?.state ?? null)) return "";
    const at = this.room?.state?.about.scheduled_at;
    return at ? `Sales open with the show: ${dateTime(at)}.` : "Sales open when the show begins.";
  }

  #crumbs() {
    const { room } = this;
    if (!room?.state)
      return html`<nav class="crumbs"><a href="/"><ui-icon name="arrow-left"></ui-icon>All shows</a></nav>`;
    const live = isSelling(room.state);
    return html`<nav class="crumbs">
      <a href="/rooms/${room.id}"><ui-icon name="arrow-left"></ui-icon>${live ? "Watch live" : "Back to the show"}</a>
      ${live ? html`<span class="chip live">LIVE</span>` : nothing}
    </nav>`;
  }

  render() {
    if (this.error) return failed(this.error, () => this.load());
    if (!this.product)
      return html`<div class="wait" aria-busy="true"><div class="skeleton"></div><div class="skeleton"></div></div>`;
    const anchor = this.#anchor;
    const standings = this.room?.line?.standings ?? NOWHERE;
    return html`${this.#crumbs()}
      ${this.room?.isOver ? html`<p class="notice"><ui-icon name="info"></ui-icon><span>The show is over. You can still buy this from the shop, at the shop's price.</span></p>` : nothing}
      <product-sheet .product=${this.product} .anchor=${anchor} .stock=${anchor ? stockOf(this.room?.state ?? null) : null}
        .line=${this.room?.line ?? null} .standings=${standings}
        .selling=${this.#closed === ""} .closed=${this.#closed} .stale=${this.offline || (anchor !== null && this.room?.stale === true)}
        .clockOffset=${this.room?.clockOffset || bag.clockOffset}
        @buy=${(/** @type {CustomEvent<{variant: string, quantity: number}>} */ event) => this.#buy(event.detail)}></product-sheet>
      <turn-dialog .line=${this.room?.line ?? null} .standings=${standings} .anchors=${this.room?.state?.lineup.anchors ?? []} .shown=${this.productId}
        .clockOffset=${this.room?.clockOffset ?? 0}></turn-dialog>`;
  }
}

customElements.define("product-page", ProductPage);
