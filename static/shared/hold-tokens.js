/**
 * Proofs of what was promised to this browser. Should the server lose a hold, it takes the units again by the hold's token;
 * so tokens outlive the page, in localStorage.
 */

/** @import {Bag, BagItem, Hold} from "./messages.js" */

const NAME = "hold-tokens";
const KEPT_MS = 3_600_000; // after the deadline
const MOST = 50; // the server reads as many at once

/**
 * `account` is the handle of whoever took it; empty for a guest, whose holds stay theirs on this device after signing in.
 * @typedef {{hold: string, token: string, deadline: number, wanted: boolean, account: string}} Kept
 */

/** @returns {Kept[]} */
function kept() {
  return JSON.parse(localStorage.getItem(NAME) ?? "[]");
}

/** @param {Kept[]} all */
function keep(all) {
  const young = all.filter(({ deadline }) => deadline + KEPT_MS > Date.now());
  localStorage.setItem(NAME, JSON.stringify(young.slice(-MOST)));
}

/** Keep the tokens of living holds. @param {(Hold | BagItem)[]} holds @param {string} account */
export function remember(holds, account) {
  const known = new Map(kept().map((one) => [one.hold, one]));
  for (const { token, deadline, status, ...hold } of holds.filter(isLiving)) {
    const id = "hold" in hold ? hold.hold : hold.id;
    const taker = known.get(id)?.account ?? account;
    known.set(id, { hold: id, token, deadline, wanted: status === "wanted", account: taker });
  }
  keep([...known.values()]);
}

/** @param {string[]} holds ids @returns {Kept[]} those that were kept until now, by whichever page forgets them first */
export function forget(holds) {
  const all = kept();
  keep(all.filter(({ hold }) => !holds.includes(hold)));
  return all.filter(({ hold }) => holds.includes(hold));
}

/** What was promised to this account until now or later, and its bag does not show. @param {Bag} bag @param {string} account */
export function missingFrom(bag, account) {
  const shown = new Set(bag.parts.flatMap(({ items }) => items.map(({ hold }) => hold)));
  const own = kept().filter((one) => one.account === "" || one.account === account);
  return own.filter(({ hold, deadline }) => !shown.has(hold) && deadline > bag.at);
}

/** Whether it can be checked out. @param {Pick<Hold, "status">} hold */
export function isLiving({ status }) {
  return status === "held" || status === "wanted";
}
