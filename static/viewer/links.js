/** Where a product of a show is opened: its own address, which the room's page shows as a sheet. */

import { html } from "lit";

/** @import {Anchor, StockState} from "../shared/messages.js" */

/**
 * @param {string} product
 * @param {string} room
 */
export function productPath(product, room) {
  return `/products/${product}?room=${room}`;
}

/**
 * @param {Anchor} anchor
 * @param {string} room
 * @param {Map<string, StockState> | null} stock null: not known
 * @param {boolean} selling
 */
export function buyLink(anchor, room, stock, selling) {
  const left = anchor.variants.some((variant) => stock?.get(variant.id)?.available !== 0);
  const word = selling && left ? "Buy" : "View";
  return html`
    <a class="button small ${word === "Buy" ? "primary" : ""}" href=${productPath(anchor.product, room)} aria-label="${word} ${anchor.title}">${word}</a>
  `;
}
