import { get } from "../shared/api.js";

/** @import {Sales} from "../shared/messages.js" */

const QUIET_MS = 1_000;

/** A room's figures, fetched again at most once a second after something moved. */
export class SalesFeed {
  /** @type {Sales | null} */
  sales = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {string} room
   * @param {() => void} changed
   */
  constructor(room, changed) {
    this.room = room;
    this.changed = changed;
  }

  /** Something moved. */
  moved() {
    this.#timer ??= setTimeout(() => this.#fetch(), this.sales ? QUIET_MS : 0);
  }

  async #fetch() {
    try {
      this.sales = await get(`rooms/${this.room}/sales`);
      this.changed();
    } finally {
      this.#timer = undefined;
    }
  }
}
