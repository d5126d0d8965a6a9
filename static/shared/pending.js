/**
 * Requests that must happen once. A request is kept with its idempotency key in sessionStorage until its answer is known,
 * so that a lost answer or a reload repeats it under the same key instead of doing it twice.
 */

import { ApiError, newKey } from "./api.js";

const KEPT_MS = 5 * 60_000; // after that nobody expects an old tap to buy something
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 3_000; // the shop is back within five seconds of its connection
const TOO_LATE = "It sold out while there was no connection. Nothing was set aside for you, and nothing was charged.";

/** @typedef {{key: string, request: Record<string, any>, at: number}} Pending */

/**
 * The kept request of this name, if its answer is still unknown.
 * @param {string} name
 * @returns {Pending | null}
 */
export function unanswered(name) {
  const kept = JSON.parse(sessionStorage.getItem(name) ?? "null");
  return kept !== null && Date.now() - kept.at < KEPT_MS ? kept : null;
}

/**
 * Send `request` under a key of its own; the same request again, while unanswered, goes out under the same key.
 * @template T
 * @param {string} name
 * @param {Record<string, any>} request
 * @param {(key: string, retry: boolean) => Promise<T>} send
 * @returns {Promise<T>} rejects with the ApiError; only a final one forgets the key
 */
export async function once(name, request, send) {
  const kept = unanswered(name);
  const again = kept !== null && JSON.stringify(kept.request) === JSON.stringify(request);
  const key = again ? kept.key : newKey();
  sessionStorage.setItem(name, JSON.stringify({ key, request, at: Date.now() }));
  try {
    const answer = await send(key, again);
    sessionStorage.removeItem(name);
    return answer;
  } catch (error) {
    if (error instanceof ApiError && error.isFinal) sessionStorage.removeItem(name);
    throw error;
  }
}

/**
 * Ask again for as long as no answer comes, e.g. without a connection. Only for requests that carry a key.
 * @template T
 * @param {(retry: boolean) => Promise<T>} send
 * @param {() => void} lost called whenever an answer did not come
 * @returns {Promise<T>} rejects with the ApiError that the server answered
 */
export async function untilAnswered(send, lost) {
  for (let round = 0; ; round++) {
    try {
      return await send(round > 0);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "unreachable") throw error;
      lost();
    }
    await new Promise((done) => setTimeout(done, Math.min(FIRST_WAIT_MS * 2 ** round, LONGEST_WAIT_MS)));
  }
}

/**
 * What to tell somebody whose tap had to wait for the connection: that it found nothing left has a sentence of its own.
 * @param {unknown} error
 */
export function cameTooLate(error) {
  if (!(error instanceof ApiError) || error.code !== "sold_out" || error.details.left > 0) return error;
  const { code, status, details } = error;
  return new ApiError({ ...details, code, status, message: TOO_LATE });
}
