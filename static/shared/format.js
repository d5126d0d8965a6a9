/** Numbers and times as people read them, in the reader's own language. */

/* ISO 4217 table A.1, as the server has it. Intl's own digits follow CLDR, which differs (e.g. IQD, RSD): prices would be off by 100. */
const NO_MINOR_UNITS = new Set("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(" "));
const THREE_DIGITS = new Set("BHD IQD JOD KWD LYD OMR TND".split(" "));

/** @param {string} currency how many digits follow its decimal point */
export function digits(currency) {
  if (NO_MINOR_UNITS.has(currency)) return 0;
  return THREE_DIGITS.has(currency) ? 3 : 2;
}

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/**
 * @param {number} amount minor units
 * @param {string} currency ISO 4217
 */
export function money(amount, currency) {
  const places = digits(currency);
  let format = formats.get(currency);
  if (!format) {
    const shape = { minimumFractionDigits: places, maximumFractionDigits: places };
    format = new Intl.NumberFormat(undefined, { style: "currency", currency, ...shape });
    formats.set(currency, format);
  }
  return format.format(amount / 10 ** places);
}

/**
 * Read a typed price such as `19.90` or `19,90` as minor units.
 * @param {string} text
 * @param {string} currency
 * @returns {number | null} null when it is not a price in this currency
 */
export function parseMoney(text, currency) {
  const match = /^(\d{1,9})(?:[.,](\d{1,3}))?$/.exec(text.trim());
  const places = digits(currency);
  if (!match || (match[2] ?? "").length > places) return null;
  return Number(match[1]) * 10 ** places + Number((match[2] ?? "").padEnd(places, "0") || 0);
}

const number = new Intl.NumberFormat();
const dayAndTime = new Intl.DateTimeFormat(undefined, {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const hourAndMinute = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** @param {number} value */
export const count = (value) => number.format(value);

/** @param {number} ms since the epoch */
export const dateTime = (ms) => dayAndTime.format(ms);

/** @param {number} ms since the epoch */
export const timeOnly = (ms) => hourAndMinute.format(ms);

/** @param {number} ms a duration; the last started second counts, so that 0:00 means over */
export function countdown(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = String(seconds % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}
