/** `<room-stage .state .offset .stale>`: the 9:16 picture with who is on, since when, and how many watch. Slot: what lies over it. */

import { css, html, LitElement, nothing } from "lit";
import { controls } from "../shared/controls.js";
import { count, dateTime } from "../shared/format.js";
import { keepReady } from "../shared/icon.js";
import "../shared/life-chip.js";
import { viewersOf } from "../shared/live.js";

/** @import {RoomState} from "../shared/room-state.js" */

class RoomStage extends LitElement {
  static properties = { state: { attribute: false }, stale: { type: Boolean, reflect: true } };

  /* Words on a picture are white on a dark scrim whatever the theme: the picture does not change with it. */
  static styles = [
    controls,
    css`
      :host { position: relative; display: grid; grid-template-rows: auto minmax(0, 1fr) auto; overflow: hidden; color: #fff; background: #16120f; isolation: isolate; --color-focus: #fff; }
      .backdrop, .picture { position: absolute; inset: 0; z-index: -2; width: 100%; height: 100%; object-fit: cover; }
      .backdrop { filter: blur(28px) brightness(0.55) saturate(1.15); transform: scale(1.15); }
      .picture { inset: 17% 14% auto; z-index: -1; width: 72%; height: auto; max-height: 46%; aspect-ratio: 4 / 5; border-radius: var(--radius-l); box-shadow: 0 24px 60px -12px rgb(0 0 0 / 0.55); animation: appear 600ms var(--ease); }
      .scrim { position: absolute; inset: 0; z-index: -1; background: linear-gradient(rgb(0 0 0 / 0.62), transparent 24%, transparent 52%, rgb(0 0 0 / 0.66)); }
      header { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; gap: var(--space-3); align-items: center; padding: max(var(--space-3), env(safe-area-inset-top)) var(--space-2) var(--space-3) var(--space-4); text-shadow: 0 1px 8px rgb(0 0 0 / 0.5); }
      .initial { display: grid; place-items: center; width: 2.5rem; height: 2.5rem; border-radius: 50%; background: rgb(255 255 255 / 0.2); font-weight: 700; }
      h1 { overflow: hidden; font-size: var(--text-m); line-height: 1.25; text-overflow: ellipsis; white-space: nowrap; }
      header p { overflow: hidden; font-size: var(--text-s); text-overflow: ellipsis; white-space: nowrap; opacity: 0.9; }
      .facts { display: flex; gap: var(--space-2); align-items: center; padding-inline-start: var(--space-4); }
      .facts .chip { color: #fff; background: rgb(0 0 0 / 0.5); font-variant-numeric: tabular-nums; }
      :host([stale]) .viewers { opacity: 0.55; }
      .message { align-self: center; justify-self: center; display: grid; gap: var(--space-2); max-width: 20rem; margin: var(--space-4); padding: var(--space-5); border-radius: var(--radius-l); background: rgb(15 11 8 / 0.72); text-align: center; }
      .message strong { font-size: var(--text-xl); line-height: 1.15; letter-spacing: var(--tight); }
      .over { grid-row: 3; min-width: 0; }
      @keyframes appear { from { opacity: 0; transform: scale(1.03); } }
    `,
  ];

  constructor() {
    super();
    /** @type {RoomState | null} */
    this.state = null;
    this.stale = false;
  }

  /** The newest pin, else the first of the line-up. */
  get #picture() {
    const anchors = this.state?.lineup.anchors ?? [];
    const pin = this.state?.pins.pins.at(-1);
    return (anchors.find((anchor) => anchor.id === pin?.anchor) ?? anchors[0])?.image;
  }

  render() {
    if (!this.state) return html`<div></div><p class="message" role="status">Joining the show …</p>`;
    const picture = this.#picture;
    return html`
      ${picture ? html`<img class="backdrop" src=${picture} alt="">` : nothing}
      ${picture && this.state.life.status !== "ended" ? html`<img class="picture" src=${picture} alt="">` : nothing}
      <div class="scrim"></div>
      ${this.#header(this.state)} ${this.#message(this.state)}
      <div class="over"><slot></slot></div>
    `;
  }

  /** @param {RoomState} state */
  #header({ about, life }) {
    const onAir = life.status === "live" || life.status === "ending";
    return html`
      <div>
        <header>
          <span class="initial" aria-hidden="true">${about.creator.name.slice(0, 1)}</span>
          <div>
            <h1>${about.title}</h1>
            <p>${about.creator.name}</p>
          </div>
          <a class="icon-button" href="/" aria-label="Leave the show"><ui-icon name="x"></ui-icon></a>
        </header>
        <div class="facts">
          <life-chip .life=${life}></life-chip>
          ${onAir ? this.#viewers() : nothing}
          ${this.stale ? html`<span class="chip" role="status"><ui-icon name="wifi-off"></ui-icon>Reconnecting …</span>` : nothing}
        </div>
      </div>
    `;
  }

  #viewers() {
    const viewers = viewersOf(this.state);
    return html`<span class="chip viewers"><ui-icon name="eye"></ui-icon>${count(viewers)}<span class="visually-hidden">${viewers === 1 ? "viewer" : "viewers"}</span></span>`;
  }

  /** @param {RoomState} state */
  #message({ about, life }) {
    if (life.status === "ended") {
      return html`<div class="message"><strong>The show has ended</strong><span>Thank you for watching. Here is everything that was shown.</span></div>`;
    }
    if (life.status !== "scheduled") return nothing;
    const start = about.scheduled_at ? `Starts ${dateTime(about.scheduled_at)}` : "Starts soon";
    return html`<div class="message"><strong>${start}</strong><span>${about.description}</span></div>`;
  }
}

keepReady("wifi-off");
customElements.define("room-stage", RoomStage);
