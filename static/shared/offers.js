/**
 * What a buyer is offered: the product's own variants, or an anchor's terms with a room's live stock. Pure functions.
 */

/** @import {Anchor, Product, StockState} from "./messages.js" */

/**
 * One variant as it is sold here. `left` null: not known. `limit` is how many one buyer may take; `waiting` stand in line.
 * @typedef {{id: string, title: string, options: string[], price: number, compareAt: number | null, limit: number,
 *   left: number | null, waiting: number}} Offer
 */

const STORE_LIMIT = 10; // the server decides; this only bounds the stepper of a product page

/**
 * @param {Product | null} product
 * @param {Anchor | null} anchor its terms win
 * @param {Map<string, StockState> | null} stock what is left in the room, by variant
 * @returns {Offer[]}
 */
export function offersOf(product, anchor, stock) {
  if (anchor) {
    return anchor.variants.map((variant) => ({
      ...common(variant),
      limit: variant.limit,
      left: stock?.get(variant.id)?.available ?? null,
      waiting: stock?.get(variant.id)?.waiting ?? 0,
    }));
  }
  return (product?.variants ?? []).map((variant) => ({
    ...common(variant),
    limit: STORE_LIMIT,
    left: variant.available ?? null,
    waiting: 0,
  }));
}

/** @param {{id: string, title: string, options?: string[], price: number, compare_at?: number | null}} variant */
function common({ id, title, options = [], price, compare_at = null }) {
  return { id, title, options, price, compareAt: compare_at !== null && compare_at > price ? compare_at : null };
}

/** @param {Offer} offer */
export const isSoldOut = (offer) => offer.left === 0;

/** @param {Offer[]} offers units left of all variants together, null when none is known */
export function totalLeft(offers) {
  const known = offers.flatMap(({ left }) => left ?? []);
  return known.length === 0 ? null : known.reduce((sum, left) => sum + left, 0);
}

/** @param {Offer[]} offers how many people wait for any of them */
export const totalWaiting = (offers) => offers.reduce((sum, { waiting }) => sum + waiting, 0);

/**
 * The cheapest offer, and whether others cost more.
 * @param {Offer[]} offers
 * @returns {{offer: Offer, varies: boolean} | null}
 */
export function cheapest(offers) {
  if (offers.length === 0) return null;
  const offer = offers.reduce((best, other) => (other.price < best.price ? other : best));
  return { offer, varies: offers.some(({ price }) => price !== offer.price) };
}

/** @param {Anchor[]} anchors @param {string} variant */
export function anchorOf(anchors, variant) {
  return anchors.find(({ variants }) => variants.some(({ id }) => id === variant));
}

/** What a variant is called here. @param {Anchor | undefined} anchor @param {string} variant */
export function nameOf(anchor, variant) {
  const title = anchor?.variants.find(({ id }) => id === variant)?.title;
  return [anchor?.title ?? "This product", title].filter(Boolean).join(", ");
}
