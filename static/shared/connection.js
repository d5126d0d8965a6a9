/**
 * One Socket.IO connection that keeps itself alive: it comes back after a tunnel, a restart or a refusal that may pass, spread by
 * chance so that a whole audience never returns at one moment, and it gives up a line on which nobody answers.
 */

import { io } from "socket.io-client";
import { ApiError } from "./api.js";

/** @import {Fault, Problem} from "./messages.js" */
/** @import {Socket} from "socket.io-client" */

const ANSWER_WITHIN_MS = 5_000;
// Waits of 0.1 to 3 s, and no attempt longer than 4 s: back within five seconds of the cause being gone.
const COMING_BACK = { reconnectionDelay: 800, reconnectionDelayMax: 3_000, randomizationFactor: 0.9, timeout: 4_000 };
const RETURN_MS = { least: 500, most: 3_000 };
const NETWORK_BACK_MS = 500;
const NOT_FINAL = new Set(["one_moment", "too_many_requests", "not_joined"]);

/** A call whose answer did not arrive; it may or may not have been done. */
export class LostAnswer extends Error {}

/**
 * Fires `said` with {name, payload} as `detail` for every event of the server, `open`, `closed`, `refused` once `fault` is set, and
 * `ping` whenever the server looks whether we are there.
 */
export class Connection extends EventTarget {
  /** The server has greeted us, and the line has not broken since. */
  online = false;
  /** Why the server turned us away for good, until the page is loaded again. @type {Problem | null} */
  fault = null;

  #heardAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #returning;
  /** @type {Socket} */
  #socket;

  /** @param {() => object} introduce what to say in `auth`, asked anew for every attempt */
  constructor(introduce) {
    super();
    const auth = (/** @type {(data: object) => void} */ send) => send(introduce());
    this.#socket = io({ transports: ["websocket"], auth, autoConnect: false, ...COMING_BACK });
    this.#listen();
    addEventListener("online", this.#networkBack);
    this.#socket.connect();
  }

  /**
   * Ask once.
   * @param {string} name
   * @param {object} payload
   * @returns {Promise<any>} rejects with the server's ApiError, or with LostAnswer
   */
  async call(name, payload) {
    const asked = Date.now();
    const answer = await this.#socket
      .timeout(ANSWER_WITHIN_MS)
      .emitWithAck(name, payload)
      .catch((error) => {
        if (this.online && this.#heardAt < asked) this.renew(); // broken, though nobody has told us
        throw new LostAnswer(error.message);
      });
    if (answer.error) throw refusal(answer.error);
    return answer.ok;
  }

  /** Say something whose answer does not matter. @param {string} name @param {object} payload */
  tell(name, payload) {
    if (this.online) this.#socket.emit(name, payload, () => {});
  }

  /** Give this line up for a new one, now. */
  renew() {
    clearTimeout(this.#returning);
    if (!this.fault) this.#socket.disconnect().connect();
  }

  close() {
    clearTimeout(this.#returning);
    removeEventListener("online", this.#networkBack);
    this.#socket.disconnect();
  }

  #listen() {
    const socket = this.#socket;
    const heard = () => {
      this.#heardAt = Date.now();
    };
    socket.io.on("packet", heard);
    socket.io.on("ping", heard);
    socket.io.on("ping", () => this.dispatchEvent(new Event("ping")));
    socket.onAny((name, payload) => this.dispatchEvent(new CustomEvent("said", { detail: { name, payload } })));
    socket.on("fault", (/** @type {Fault} */ fault) => fault.retry || this.#turnedAway(fault));
    socket.on("connect", () => {
      this.online = true;
      this.dispatchEvent(new Event("open"));
    });
    socket.on("disconnect", (reason) => {
      this.online = false;
      this.dispatchEvent(new Event("closed"));
      if (reason === "io server disconnect") this.#comeBack();
    });
    socket.on("connect_error", (/** @type {Error & {data?: Problem}} */ error) => {
      if (error.data?.code && !NOT_FINAL.has(error.data.code)) this.#turnedAway(error.data);
      else if (!socket.active) this.#comeBack();
    });
  }

  /** After a broken line the client returns by itself; after the server's own no it leaves that to us. */
  #comeBack() {
    const pause = RETURN_MS.least + (RETURN_MS.most - RETURN_MS.least) * Math.random();
    clearTimeout(this.#returning);
    this.#returning = setTimeout(() => this.fault || this.#socket.connect(), pause);
  }

  /** The browser says so: there is no need to wait for the next attempt. */
  #networkBack = () => {
    clearTimeout(this.#returning);
    this.#returning = setTimeout(() => this.online || this.renew(), NETWORK_BACK_MS * Math.random());
  };

  /** @param {Problem | Fault} problem */
  #turnedAway(problem) {
    this.fault = { ...problem };
    this.#socket.disconnect();
    this.dispatchEvent(new Event("refused"));
  }
}

/**
 * An ack has no HTTP status; give it the one that tells a final *no* from *not now*.
 * @param {Problem} problem
 */
function refusal(problem) {
  return new ApiError({ ...problem, status: problem.status ?? (NOT_FINAL.has(problem.code) ? 503 : 409) });
}
