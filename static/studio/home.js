import { css, html, LitElement, nothing } from "lit";
import { get, post } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import "../shared/dialog.js";
import { dateTime } from "../shared/format.js";
import "../shared/icon.js";
import "../shared/life-chip.js";
import "./shop-panel.js";
import { told } from "./told.js";

/** @import {RoomCard, Shop} from "../shared/messages.js" */
/** @typedef {"room" | "shop" | null} Asking */

/** A creator's and seller's start page: shows and shops. */
class StudioHome extends LitElement {
  static properties = {
    rooms: { state: true },
    shops: { state: true },
    asking: { state: true },
    busy: { state: true },
  };

  static styles = [
    controls,
    css`
      :host { display: grid; gap: var(--space-7); }
      section { display: grid; gap: var(--space-4); }
      .bar { display: flex; align-items: center; justify-content: space-between; gap: var(--space-3); }
      .rooms { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: var(--space-3); margin: 0; padding: 0; list-style: none; }
      .rooms a { display: grid; grid-template-columns: 4rem minmax(0, 1fr); gap: var(--space-3); align-items: center; padding: var(--space-3); text-decoration: none; }
      .rooms a:hover { border-color: var(--color-control); }
      .rooms img, .blank { width: 4rem; height: 5rem; border-radius: var(--radius-s); object-fit: cover; background: var(--color-sunken); }
      .rooms h2 { margin-bottom: var(--space-1); font-size: var(--text-l); }
      form { display: grid; gap: var(--space-4); }
      form .button { justify-self: end; }
    `,
  ];

  constructor() {
    super();
    /** @type {RoomCard[] | null} */
    this.rooms = null;
    /** @type {Shop[] | null} */
    this.shops = null;
    /** @type {Asking} */
    this.asking = null;
    this.busy = false;
  }

  async firstUpdated() {
    const [rooms, shops] = await Promise.all([told(get("rooms?status=mine")), told(get("shops"))]);
    this.rooms = rooms?.rooms ?? [];
    this.shops = shops?.shops ?? [];
  }

  /** @param {Asking} asking */
  #ask(asking) {
    return () => {
      this.asking = asking;
    };
  }

  /**
   * @param {SubmitEvent} event
   * @param {string} path
   * @param {(text: (name: string) => string) => object} body
   */
  async #create(event, path, body) {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    this.busy = true;
    const created = await told(
      post(
        path,
        body((name) => String(data.get(name) ?? "").trim()),
      ),
    );
    this.busy = false;
    return created;
  }

  /** @param {SubmitEvent} event */
  #newRoom = async (event) => {
    const snapshot = await this.#create(event, "rooms", (text) => ({
      title: text("title"),
      description: text("description"),
      scheduled_at: text("when") ? new Date(text("when")).getTime() : null,
    }));
    if (snapshot) location.assign(`/studio/${snapshot.about.id}`);
  };

  /** @param {SubmitEvent} event */
  #newShop = async (event) => {
    const shop = await this.#create(event, "shops", (text) => ({
      name: text("name"),
      handle: text("handle").toLowerCase(),
      currency: text("currency").toUpperCase(),
    }));
    if (!shop) return;
    this.shops = [...(this.shops ?? []), shop];
    this.asking = null;
  };

  render() {
    return html`
      <section aria-labelledby="rooms">
        <div class="bar">
          <h1 id="rooms">Your shows</h1>
          <button class="button primary" @click=${this.#ask("room")}><ui-icon name="plus"></ui-icon>New show</button>
        </div>
        ${this.#rooms()}
      </section>
      <section aria-labelledby="shops">
        <div class="bar">
          <h2 id="shops">Your shops</h2>
          <button class="button" @click=${this.#ask("shop")}><ui-icon name="store"></ui-icon>New shop</button>
        </div>
        ${this.shops?.length === 0 ? html`<p class="muted">A shop holds your products and takes the orders. Open one to start selling.</p>` : nothing}
        ${this.shops?.map((shop) => html`<shop-panel .shop=${shop}></shop-panel>`)}
      </section>
      ${this.#roomDialog()} ${this.#shopDialog()}
    `;
  }

  #rooms() {
    if (!this.rooms) return html`<p role="status" class="muted">Loading your shows …</p>`;
    if (this.rooms.length === 0) {
      return html`<p class="muted">No shows yet. Plan the first one: you can fill its line-up before you go live.</p>`;
    }
    return html`<ul class="rooms">${this.rooms.map((room) => html`<li>${roomCard(room)}</li>`)}</ul>`;
  }

  #roomDialog() {
    return html`
      <ui-dialog heading="New show" .open=${this.asking === "room"} @close=${this.#ask(null)}>
        <form @submit=${this.#newRoom}>
          <label class="field"><span class="label">Title</span><input class="input" name="title" required maxlength="120"></label>
          <label class="field"><span class="label">Description</span><textarea class="input" name="description" rows="3" maxlength="2000"></textarea></label>
          <label class="field"><span class="label">When (may stay empty)</span><input class="input" name="when" type="datetime-local"></label>
          <button class="button primary" ?disabled=${this.busy}>Create show</button>
        </form>
      </ui-dialog>
    `;
  }

  #shopDialog() {
    return html`
      <ui-dialog heading="New shop" .open=${this.asking === "shop"} @close=${this.#ask(null)}>
        <form @submit=${this.#newShop}>
          <label class="field"><span class="label">Name</span><input class="input" name="name" required maxlength="120"></label>
          <label class="field">
            <span class="label">Handle</span>
            <input class="input" name="handle" required pattern="[a-z0-9][a-z0-9_\\-]{1,28}[a-z0-9]" title="3 to 30 small letters, digits, - or _" autocapitalize="none">
          </label>
          <label class="field">
            <span class="label">Currency</span>
            <input class="input" name="currency" required pattern="[A-Za-z]{3}" value="EUR" title="Three letters, for example EUR">
          </label>
          <button class="button primary" ?disabled=${this.busy}>Open shop</button>
        </form>
      </ui-dialog>
    `;
  }
}

/** @param {RoomCard} room */
function roomCard({ about, life, cover, products }) {
  const when = about.scheduled_at && life.status === "scheduled" ? dateTime(about.scheduled_at) : "";
  return html`
    <a class="card" href="/studio/${about.id}">
      ${cover ? html`<img src=${cover} alt="">` : html`<span class="blank"></span>`}
      <span>
        <h2>${about.title}</h2>
        <span class="row small muted"><life-chip .life=${life}></life-chip><span>${when}</span><span>${products === 1 ? "1 product" : `${products} products`}</span></span>
      </span>
    </a>
  `;
}

customElements.define("studio-home", StudioHome);
