/** The home page: who is live now, and who will be. */

import { css, html, LitElement, nothing } from "lit";
import { asApiError, get } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import "../shared/icon.js";
import { failed } from "../shared/page-states.js";
import "../shared/header.js";
import "./room-card.js";

/** @import {ApiError} from "../shared/api.js" */
/** @import {RoomCard} from "../shared/messages.js" */

const REFRESH_MS = 20_000;

class HomePage extends LitElement {
  static properties = { live: { state: true }, upcoming: { state: true }, error: { state: true } };

  static styles = [
    controls,
    css`
      section { margin-top: var(--space-6); }
      h1 + section { margin-top: var(--space-3); }
      .heading { display: flex; align-items: baseline; gap: var(--space-3); margin-bottom: var(--space-4); }
      h1, h2 { font-size: var(--text-2xl); }
      .live { display: grid; gap: var(--space-5) var(--space-4); grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); }
      .upcoming { display: grid; gap: var(--space-3); grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); }
      .wait { aspect-ratio: 4 / 5; border-radius: var(--radius-l); }
    `,
  ];

  constructor() {
    super();
    /** @type {RoomCard[] | null} */
    this.live = null;
    /** @type {RoomCard[]} */
    this.upcoming = [];
    /** @type {ApiError | null} */
    this.error = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.load();
    setInterval(() => document.visibilityState === "visible" && this.load(), REFRESH_MS);
  }

  async load() {
    try {
      const [live, scheduled] = await Promise.all([get("rooms?status=live"), get("rooms?status=scheduled")]);
      Object.assign(this, { live: live.rooms, upcoming: scheduled.rooms, error: null });
    } catch (error) {
      if (!this.live) this.error = asApiError(error);
    }
  }

  /** @param {string} heading @param {RoomCard[]} rooms @param {"live" | "upcoming"} kind */
  #section(heading, rooms, kind) {
    if (rooms.length === 0) return nothing;
    return html`<section aria-labelledby=${kind}>
      <div class="heading"><h2 id=${kind}>${heading}</h2></div>
      <ul role="list" class=${kind}>${rooms.map((room) => html`<li><room-card .room=${room}></room-card></li>`)}</ul>
    </section>`;
  }

  #empty() {
    return html`<div class="empty">
      <ui-icon name="radio"></ui-icon>
      <h1>Nobody is live right now</h1>
      <p>Shows appear here as soon as they are planned. Do you have something to sell? Open the studio and plan your own.</p>
      <a class="button primary" href="/studio">Open the studio</a>
    </div>`;
  }

  render() {
    if (this.error) return failed(this.error, () => this.load());
    if (!this.live)
      return html`<section aria-busy="true"><h1>Live now</h1><div class="live"><div class="skeleton wait"></div></div></section>`;
    if (this.live.length + this.upcoming.length === 0) return this.#empty();
    return [
      html`<h1 class="visually-hidden">Shows</h1>`,
      this.#section("Live now", this.live, "live"),
      this.#section("Coming up", this.upcoming, "upcoming"),
    ];
  }
}

customElements.define("home-page", HomePage);
