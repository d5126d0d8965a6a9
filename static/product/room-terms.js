/** The show that a product page was opened from: read once over REST for the first paint, then followed live. */

import { get } from "../shared/api.js";
import { LiveRoom } from "../shared/live.js";
import { reduce } from "../shared/room-state.js";
import { WaitingLine } from "../shared/waiting-line.js";

/** @import {RoomState} from "../shared/room-state.js" */

/** Fires `change` whenever something became known. */
export class RoomTerms extends EventTarget {
  /** @type {RoomState | null} */
  #first = null;
  /** @type {LiveRoom | null} */
  #live = null;
  /** @type {WaitingLine | null} */
  line = null;

  /** @param {string} id */
  constructor(id) {
    super();
    this.id = id;
  }

  /** Rejects with the ApiError. */
  async load() {
    this.#first = reduce(null, "snapshot", await get(`rooms/${this.id}`));
    if (this.isOver || this.#live) return;
    this.#live = new LiveRoom(this.id);
    this.line = new WaitingLine(this.#live);
    for (const source of [this.#live, this.line]) {
      source.addEventListener("change", () => this.dispatchEvent(new Event("change")));
    }
  }

  get state() {
    return this.#live?.state ?? this.#first;
  }

  get stale() {
    return this.#live?.stale === true;
  }

  get clockOffset() {
    return this.#live?.clockOffset ?? 0;
  }

  get isOver() {
    return this.state?.life.status === "ended";
  }

  /** @param {string} product */
  anchorOf(product) {
    return this.state?.lineup.anchors.find((anchor) => anchor.product === product) ?? null;
  }
}
