/** Prices as people type them into a form. */

import { digits, parseMoney } from "../shared/format.js";

/**
 * 1250 → `"12.50"` for EUR, as the value of an input.
 * @param {number} amount minor units
 * @param {string} currency
 */
export function priceText(amount, currency) {
  const places = digits(currency);
  const text = String(amount).padStart(places + 1, "0");
  return places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
}

/**
 * Let the browser say what is wrong with a price before the form is sent.
 * @param {Event} event from an input
 * @param {string} currency
 */
export function checkPrice(event, currency) {
  const input = /** @type {HTMLInputElement} */ (event.target);
  const valid = parseMoney(input.value, currency) !== null;
  input.setCustomValidity(valid ? "" : `Write a price in ${currency}, for example ${priceText(1250, currency)}.`);
}
