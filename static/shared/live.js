/**
 * A room as it is now: one connection, one plain state object, one `change` event. `LiveRoom` notices gaps and old values,
 * and settles calls whose answer was lost; `reduce` (room-state.js) says what messages mean.
 */

import { ApiError, newKey } from "./api.js";
import { Connection, LostAnswer } from "./connection.js";
import { cameTooLate } from "./pending.js";
import { reduce } from "./room-state.js";

export { isSelling, reduce, stockOf, viewersOf } from "./room-state.js";

/** @import {Hold, HoldRequest, LineUp, PinChange, Pins, Place} from "./messages.js" */
/** @import {RoomState} from "./room-state.js" */

const STALE_AFTER_MS = 2_000;

/**
 * One room over one connection. Fires `change` whenever `state`, `online`, `stale` or `fault` changed, `turn` with a Turn as
 * `detail`, and `ping` whenever the server looks whether we are there.
 */
export class LiveRoom extends EventTarget {
  /** @type {RoomState | null} */
  state = null;
  /** No fresh values for two seconds: show counts grey, let purchases wait. */
  stale = false;

  #offset = Number.NEGATIVE_INFINITY;
  #fresh = false;
  #rejoining = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #staleTimer;
  /** @type {Connection} */
  #connection;

  /** @param {string} id the room's id */
  constructor(id) {
    super();
    this.id = id;
    this.#connection = new Connection(() => this.#join());
    this.#listen();
    document.addEventListener("visibilitychange", this.#looked);
    this.#outdated();
  }

  get online() {
    return this.#connection.online;
  }

  /** Why the server turned us away for good, until the page is loaded again. */
  get fault() {
    return this.#connection.fault;
  }

  /** Milliseconds since the epoch by the server's clock. */
  get now() {
    return Date.now() + this.clockOffset;
  }

  /** Server's clock minus this device's, in ms: the largest seen, since a message can only be late. */
  get clockOffset() {
    return Number.isFinite(this.#offset) ? this.#offset : 0;
  }

  /**
   * Hold units. Waits while offline; a lost answer is asked for again with the same key, so it is settled once.
   * @param {Omit<HoldRequest, "retry">} request
   * @param {boolean} retry this key was sent before, by a page that is gone
   * @returns {Promise<Hold>} rejects with the server's ApiError
   */
  async hold(request, retry = false) {
    let waited = !this.#isReady;
    const once = (/** @type {boolean} */ again) => {
      waited ||= again;
      return { ...request, retry: retry || again };
    };
    try {
      return await this.#settle("hold", once);
    } catch (error) {
      throw waited ? cameTooLate(error) : error;
    }
  }

  /** @param {string} hold */
  release(hold) {
    return this.#settle("release", () => ({ hold }));
  }

  /**
   * Take a place in line, or keep it. Asked once: whoever waits asks again anyway.
   * @param {string} variant
   * @returns {Promise<Place>} rejects with the server's ApiError, or with another error when no answer came
   */
  async wait(variant) {
    await this.#ready();
    return this.#connection.call("wait", { variant });
  }

  /** @param {string} variant */
  leaveLine(variant) {
    return this.#settle("leave_line", () => ({ variant }));
  }

  /**
   * Pin or unpin as seen now. Rejects with `pins_full` or `pin_conflict`, whose `details.pins` are taken over first.
   * @param {Omit<PinChange, "operation" | "version">} change
   */
  async pin(change) {
    const seen = { ...change, operation: newKey(), version: this.state?.pins.version ?? 0 };
    try {
      this.learn("pins", await this.#settle("pin", () => seen));
    } catch (error) {
      if (error instanceof ApiError && error.details.pins) this.learn("pins", error.details.pins);
      throw error;
    }
  }

  /**
   * Take over what an answer told, ahead of its event; older versions change nothing.
   * @param {"pins" | "lineup"} name
   * @param {Pins | LineUp} value
   */
  learn(name, value) {
    this.#take(name, value);
  }

  /** Say that a viewer opened an anchor; nothing to wait for, nothing lost when it fails. @param {string} anchor */
  tap(anchor) {
    this.#connection.tell("tap", { anchor });
  }

  close() {
    clearTimeout(this.#staleTimer);
    document.removeEventListener("visibilitychange", this.#looked);
    this.#connection.close();
  }

  #listen() {
    const connection = this.#connection;
    connection.addEventListener("said", (event) => {
      const { name, payload } = /** @type {CustomEvent<{name: string, payload: any}>} */ (event).detail;
      if (name === "turn") this.dispatchEvent(new CustomEvent("turn", { detail: payload }));
      else this.#take(name, payload);
    });
    connection.addEventListener("ping", () => this.dispatchEvent(new Event("ping")));
    connection.addEventListener("closed", () => this.#outdated());
    for (const news of ["open", "refused"]) connection.addEventListener(news, () => this.#changed());
  }

  /** A page that was asleep may have slept through anything, a broken line included: when it is looked at, it asks. */
  #looked = () => {
    if (document.visibilityState !== "visible" || !this.state) return;
    this.#outdated();
    if (this.online) this.#rejoin();
    else this.#connection.renew();
  };

  #join() {
    const after = this.state && { epoch: this.state.epoch, seq: this.state.seq };
    return after ? { room: this.id, after } : { room: this.id };
  }

  /**
   * @param {string} name
   * @param {any} payload
   */
  #take(name, payload) {
    const before = this.state;
    this.state = reduce(before, name, payload);
    if (payload?.at) this.#offset = Math.max(this.#offset, payload.at - Date.now());
    if (name === "snapshot" || name === "states") this.#upToDate();
    if (this.state?.gap) this.#rejoin();
    if (this.state !== before) this.#changed();
  }

  /** Ask for what is missing, once at a time. Whoever comes back on a new line is told it anyway. */
  async #rejoin() {
    if (this.#rejoining) return;
    this.#rejoining = true;
    for (let isLost = true; isLost && this.online; ) {
      isLost = false;
      await this.#connection.call("join", this.#join()).catch((error) => {
        isLost = error instanceof LostAnswer;
        if (!isLost) this.#connection.renew();
      });
    }
    this.#rejoining = false;
  }

  #upToDate() {
    clearTimeout(this.#staleTimer);
    if (this.#fresh) return;
    this.#fresh = true;
    this.stale = false;
    this.#changed();
  }

  #outdated() {
    this.#fresh = false;
    clearTimeout(this.#staleTimer);
    this.#staleTimer = setTimeout(() => {
      this.stale = true;
      this.#changed();
    }, STALE_AFTER_MS);
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  get #isReady() {
    return this.online && this.#fresh;
  }

  /** Resolves once values are fresh; rejects when the server turned us away. @returns {Promise<void>} */
  #ready() {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.fault) reject(new ApiError(this.fault));
        else if (this.#isReady) resolve();
        else return;
        this.removeEventListener("change", look);
      };
      this.addEventListener("change", look);
      look();
    });
  }

  /**
   * Call until answered.
   * @param {string} name
   * @param {(again: boolean) => object} payload
   */
  async #settle(name, payload) {
    for (let again = false; ; again = true) {
      await this.#ready();
      try {
        return await this.#connection.call(name, payload(again));
      } catch (error) {
        if (!(error instanceof LostAnswer)) throw error;
      }
    }
  }
}
