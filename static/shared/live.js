/**
 * A room as it is now: one socket, one plain state object, one `change` event. `LiveRoom` connects, notices gaps, comes
 * back after a tunnel, and settles calls whose answer was lost; `reduce` (room-state.js) says what messages mean.
 */

import { io } from "socket.io-client";
import { ApiError, newKey } from "./api.js";
import { reduce } from "./room-state.js";

export { isSelling, reduce, stockOf, viewersOf } from "./room-state.js";

/** @import {Fault, Hold, HoldRequest, PinChange, Place, Problem} from "./messages.js" */
/** @import {Socket} from "socket.io-client" */
/** @import {RoomState} from "./room-state.js" */

const STALE_AFTER_MS = 2_000;
const ANSWER_WITHIN_MS = 5_000;
const RETURN_AFTER_MS = 1_000;
const NOT_FINAL = new Set(["one_moment", "too_many_requests", "not_joined"]);

/** A call whose answer did not arrive; it may or may not have been done. */
class LostAnswer extends Error {}

/**
 * One room over one socket. Fires `change` whenever `state`, `online`, `stale` or `fault` changed, `turn` with a Turn as
 * `detail`, and `ping` whenever the server looks whether we are there.
 */
export class LiveRoom extends EventTarget {
  /** @type {RoomState | null} */
  state = null;
  /** The socket is open. */
  online = false;
  /** No fresh values for two seconds: show counts grey, let purchases wait. */
  stale = false;
  /** Why the server turned us away for good, until the page is loaded again. @type {Problem | null} */
  fault = null;

  #offset = Number.NEGATIVE_INFINITY;
  #fresh = false;
  #rejoining = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #staleTimer;
  /** @type {Socket} */
  #socket;

  /** @param {string} id the room's id */
  constructor(id) {
    super();
    this.id = id;
    this.#socket = io({
      transports: ["websocket"],
      auth: (send) => send(this.#join()),
      reconnectionDelay: 400,
      reconnectionDelayMax: 8_000,
      randomizationFactor: 0.7,
      autoConnect: false,
    });
    this.#listen();
    this.#outdated();
    this.#socket.connect();
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
  hold(request, retry = false) {
    return this.#settle("hold", (again) => ({ ...request, retry: retry || again }));
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
    return this.#call("wait", { variant });
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
   * @param {import("./messages.js").Pins | import("./messages.js").LineUp} value
   */
  learn(name, value) {
    this.#take(name, value);
  }

  /** Say that a viewer opened an anchor; nothing to wait for, nothing lost when it fails. @param {string} anchor */
  tap(anchor) {
    if (this.online) this.#socket.emit("tap", { anchor }, () => {});
  }

  close() {
    clearTimeout(this.#staleTimer);
    this.#socket.disconnect();
  }

  #listen() {
    const socket = this.#socket;
    for (const name of ["snapshot", "event", "states", "rights"]) {
      socket.on(name, (payload) => this.#take(name, payload));
    }
    socket.on("turn", (turn) => this.dispatchEvent(new CustomEvent("turn", { detail: turn })));
    socket.io.on("ping", () => this.dispatchEvent(new Event("ping")));
    socket.on("fault", (/** @type {Fault} */ fault) => this.#turnedAway(fault, fault.retry));
    socket.on("connect", () => {
      this.online = true;
      this.#rejoining = false;
      this.#changed();
    });
    socket.on("disconnect", () => {
      this.online = false;
      this.#outdated();
      this.#comeBack();
    });
    socket.on("connect_error", (/** @type {Error & {data?: Problem}} */ error) => {
      if (error.data?.code && !NOT_FINAL.has(error.data.code)) this.#turnedAway(error.data, false);
      else this.#comeBack();
    });
  }

  /** The client reconnects by itself after a broken line, not after the server closed or refused: then it is ours to do. */
  #comeBack() {
    if (this.#socket.active || this.fault) return;
    setTimeout(() => this.fault || this.#socket.connect(), RETURN_AFTER_MS * (1 + 4 * Math.random()));
  }

  /**
   * @param {Problem | Fault} problem
   * @param {boolean} retry
   */
  #turnedAway(problem, retry) {
    if (retry) return;
    this.fault = { ...problem };
    this.#socket.disconnect();
    this.#changed();
  }

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
    if (payload.at) this.#offset = Math.max(this.#offset, payload.at - Date.now());
    if (name === "snapshot" || name === "states") this.#upToDate();
    if (this.state?.gap) this.#rejoin();
    if (this.state !== before) this.#changed();
  }

  /** Ask for the missing events, once at a time. */
  async #rejoin() {
    if (this.#rejoining) return;
    this.#rejoining = true;
    await this.#call("join", this.#join()).catch(() => this.#socket.disconnect().connect());
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

  /** Resolves once values are fresh; rejects when the server turned us away. @returns {Promise<void>} */
  #ready() {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.fault) reject(new ApiError(this.fault));
        else if (this.online && this.#fresh) resolve();
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
        return await this.#call(name, payload(again));
      } catch (error) {
        if (!(error instanceof LostAnswer)) throw error;
      }
    }
  }

  /**
   * @param {string} name
   * @param {object} payload
   */
  async #call(name, payload) {
    const answer = await this.#socket
      .timeout(ANSWER_WITHIN_MS)
      .emitWithAck(name, payload)
      .catch((error) => Promise.reject(new LostAnswer(error.message)));
    if (answer.error) throw refusal(answer.error);
    return answer.ok;
  }
}

/**
 * An ack has no HTTP status; give it the one that tells a final *no* from *not now*.
 * @param {Problem} problem
 */
function refusal(problem) {
  return new ApiError({ ...problem, status: problem.status ?? (NOT_FINAL.has(problem.code) ? 503 : 409) });
}
