/** `<room-card .room>`: a show in a list, large while it is live, a row while it is planned. */

import { css, html, LitElement, nothing } from "lit";
import { controls } from "../shared/controls.js";
import { count, dateTime } from "../shared/format.js";
import "../shared/icon.js";

/** @import {RoomCard as Room} from "../shared/messages.js" */

class RoomCard extends LitElement {
  static properties = { room: { attribute: false } };

  static styles = [
    controls,
    css`
      :host { position: relative; }
      article { display: grid; gap: var(--space-3); }
      .cover { position: relative; aspect-ratio: 4 / 5; border-radius: var(--radius-l); background: var(--color-sunken); overflow: hidden; }
      .cover img { width: 100%; height: 100%; object-fit: cover; transition: transform 500ms var(--ease); }
      :host(:hover) .cover img { transform: scale(1.025); }
      .none { display: grid; place-items: center; height: 100%; color: var(--color-control); }
      .none ui-icon { width: 2.5rem; height: 2.5rem; }
      .marks { position: absolute; inset: var(--space-3) var(--space-3) auto; display: flex; gap: var(--space-2); }
      .marks .viewers { color: #fff; background: rgb(24 18 13 / 0.72); font-variant-numeric: tabular-nums; }
      h3 a { text-decoration: none; }
      h3 a::after { content: ""; position: absolute; inset: 0; border-radius: var(--radius-l); }
      h3 a:focus-visible { outline: none; }
      h3 a:focus-visible::after { outline: 3px solid var(--color-focus); outline-offset: 3px; }
      p { margin-top: var(--space-1); color: var(--color-muted); font-size: var(--text-s); }
      .row { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); gap: var(--space-4); padding: var(--space-3); border: 1px solid var(--color-line); border-radius: var(--radius-l); background: var(--color-surface); }
      .row .cover { aspect-ratio: 1; border-radius: var(--radius-m); }
      .when { margin: 0 0 var(--space-1); color: var(--color-accent); font-weight: 640; }
    `,
  ];

  constructor() {
    super();
    /** @type {Room | null} */
    this.room = null;
  }

  /** @param {Room} room */
  #cover({ cover }) {
    return cover
      ? html`<img src=${cover} alt="" loading="lazy" />`
      : html`<div class="none"><ui-icon name="video"></ui-icon></div>`;
  }

  /** @param {Room} room */
  #words({ about, products }) {
    const items = products === 1 ? "1 product" : `${count(products)} products`;
    return html`<h3><a href="/rooms/${about.id}">${about.title}</a></h3>
      <p>${about.creator.name}${products > 0 ? ` · ${items}` : nothing}</p>`;
  }

  /** @param {Room} room */
  #live(room) {
    return html`<article>
      <div class="cover">
        ${this.#cover(room)}
        <div class="marks">
          <span class="chip live">LIVE</span>
          <span class="chip viewers"><ui-icon name="eye"></ui-icon>${count(room.viewers)}<span class="visually-hidden"> watching</span></span>
        </div>
      </div>
      <div>${this.#words(room)}</div>
    </article>`;
  }

  /** @param {Room} room */
  #planned(room) {
    const at = room.about.scheduled_at;
    return html`<article class="row">
      <div class="cover">${this.#cover(room)}</div>
      <div><p class="when">${at ? dateTime(at) : "Soon"}</p>${this.#words(room)}</div>
    </article>`;
  }

  render() {
    if (!this.room) return nothing;
    return this.room.life.status === "scheduled" ? this.#planned(this.room) : this.#live(this.room);
  }
}

customElements.define("room-card", RoomCard);
