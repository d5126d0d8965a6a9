/**
 * This viewer's places in the lines of one room, by variant. A place is kept by asking for it again and again, comes back after
 * a reload of this tab, and ends as a turn: a hold that is in the bag already.
 */

import { ApiError, asApiError, get } from "./api.js";
import { bag } from "./bag.js";
import { isSelling } from "./room-state.js";
import { toast } from "./toast.js";

/** @import {LiveRoom} from "./live.js" */
/** @import {BagItem, Hold, Turn} from "./messages.js" */

const REPEAT_MS = 10_000;
const JITTER_MS = 4_000;
const SHOW_OVER = "The show is over, so nobody's turn comes any more.";

/**
 * `asking`: no place yet, `message` says why that takes a while. `turn`: `hold` is the offer; `seen` once its reader has closed
 * the card. `passed`: nobody took it in time. `refused`: `message` says why.
 * @typedef {{state: "asking", message: string} | {state: "waiting", place: number} | {state: "turn", hold: Hold, seen: boolean}
 *   | {state: "passed"} | {state: "refused", message: string}} Standing
 */

/** Whether it is a place in line, and not how one ended. @param {Standing | undefined} standing */
const isPlace = (standing) => standing?.state === "asking" || standing?.state === "waiting";

/** Fires `change` whenever `standings` changed. */
export class WaitingLine extends EventTarget {
  /** By variant; replaced, never changed. @type {Map<string, Standing>} */
  standings = new Map();

  /** Variant → when the line was joined, by the server's clock. @type {Map<string, number>} */
  #since;
  #online = false;
  #due = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {LiveRoom} */
  #live;

  /** @param {LiveRoom} live */
  constructor(live) {
    super();
    this.#live = live;
    this.#since = new Map(JSON.parse(sessionStorage.getItem(this.#name) ?? "[]"));
    this.standings = new Map([...this.#since.keys()].map((variant) => [variant, { state: "asking", message: "" }]));
    live.addEventListener("change", this.#look);
    live.addEventListener("turn", (event) => this.#told(/** @type {CustomEvent<Turn>} */ (event).detail));
    // A browser slows the timers of a hidden page down to one a minute, which is when a place is given up.
    live.addEventListener("ping", () => Date.now() > this.#due && this.#keep());
  }

  /** Whether somebody can join now. */
  get isOpen() {
    return isSelling(this.#live.state);
  }

  /** Join the line for one unit. @param {string} variant */
  wait(variant) {
    this.#set(variant, { state: "asking", message: "" });
    this.#keep();
  }

  /** Give a place up. @param {string} variant */
  leave(variant) {
    this.#set(variant, null);
    this.#live.leaveLine(variant).catch(() => {}); // it lapses by itself in a minute
  }

  /** Give the offered unit back. @param {Hold} hold */
  async decline(hold) {
    this.#set(hold.variant, null);
    try {
      await this.#live.release(hold.id);
      toast("Thank you. It goes to the next in line.");
    } catch (error) {
      toast(asApiError(error).message, { tone: "bad" });
    }
    await bag.gaveBack(hold.id).catch(() => {});
  }

  /** Its reader has closed what told of it: a turn stays in the bag, anything else is done with. @param {string} variant */
  dismiss(variant) {
    const standing = this.standings.get(variant);
    this.#set(variant, standing?.state === "turn" ? { ...standing, seen: true } : null);
  }

  get #name() {
    return `line:${this.#live.id}`;
  }

  get #places() {
    return [...this.standings].flatMap(([variant, standing]) => (isPlace(standing) ? variant : []));
  }

  /** @param {string} variant @param {Standing | null} standing */
  #set(variant, standing) {
    this.standings = new Map(this.standings);
    if (standing) this.standings.set(variant, standing);
    else this.standings.delete(variant);
    const since = this.#since.get(variant) ?? this.#live.now;
    if (isPlace(standing ?? undefined)) this.#since.set(variant, since);
    else this.#since.delete(variant);
    sessionStorage.setItem(this.#name, JSON.stringify([...this.#since]));
    this.dispatchEvent(new Event("change"));
  }

  #look = () => {
    const { online, state } = this.#live;
    const isBack = online && !this.#online;
    this.#online = online;
    if (state?.life.status === "ended") {
      for (const variant of this.#places) this.#set(variant, { state: "refused", message: SHOW_OVER });
    } else if (isBack) this.#return();
  };

  /** A turn may have come and gone while nobody was here: then asking again would only join the end of the line. */
  async #return() {
    if (this.#places.length === 0) return;
    await bag.refresh().catch(() => {});
    for (const variant of this.#places) {
      const passed = bag.items.some((item) => this.#isMissedTurn(item, variant));
      if (passed) this.#set(variant, { state: "passed" });
    }
    this.#keep();
  }

  /** @param {BagItem} item @param {string} variant */
  #isMissedTurn(item, variant) {
    const joined = this.#since.get(variant) ?? 0;
    const here = item.variant === variant && item.pool === `room:${this.#live.id}`;
    return here && item.status === "expired" && item.deadline > joined;
  }

  /** Ask for every place, again and again while there are any. */
  #keep() {
    clearTimeout(this.#timer);
    const places = this.#places;
    if (places.length === 0) return;
    const pause = REPEAT_MS + JITTER_MS * (Math.random() - 0.5);
    this.#due = Date.now() + pause;
    this.#timer = setTimeout(() => this.#keep(), pause);
    if (this.#online) for (const variant of places) this.#ask(variant);
  }

  /** @param {string} variant */
  async #ask(variant) {
    try {
      const { place, hold } = await this.#live.wait(variant);
      if (hold) this.#offered(hold);
      else if (isPlace(this.standings.get(variant))) this.#set(variant, { state: "waiting", place });
      else await this.#live.leaveLine(variant); // given up while the question was under way
    } catch (error) {
      if (error instanceof ApiError) this.#notNow(variant, error); // else no answer came, and the next round asks again
    }
  }

  /** @param {string} variant @param {ApiError} error */
  #notNow(variant, { isFinal, message }) {
    const standing = this.standings.get(variant);
    if (isFinal && isPlace(standing)) this.#set(variant, { state: "refused", message });
    else if (standing?.state === "asking") this.#set(variant, { state: "asking", message });
  }

  /** A turn, perhaps of another page of this viewer: asking for the place here could join the line anew. @param {Turn} turn */
  async #told({ hold }) {
    const offer = /** @type {Hold | null} */ (await get(`holds/${hold}`).catch(() => null));
    if (offer?.status === "held") this.#offered(offer);
  }

  /** @param {Hold} hold */
  #offered(hold) {
    const standing = this.standings.get(hold.variant);
    if (standing?.state === "turn" && standing.hold.id === hold.id) return;
    this.#set(hold.variant, { state: "turn", hold, seen: false });
    bag.took(hold).catch(() => {}); // the bag asks again by itself
    setTimeout(() => this.#timeIsUp(hold), Math.max(0, hold.deadline - this.#live.now));
  }

  /** @param {Hold} hold */
  async #timeIsUp({ id, variant }) {
    const now = /** @type {Hold | null} */ (await get(`holds/${id}`).catch(() => null));
    const standing = this.standings.get(variant);
    if (standing?.state !== "turn" || standing.hold.id !== id) return;
    const isSettled = now?.status === "sold" || now?.status === "released" || now?.status === "returned";
    this.#set(variant, isSettled ? null : { state: "passed" });
  }
}
