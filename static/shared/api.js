/**
 * The REST interface. Paths are relative to `/api/v1/`; a failed call throws an `ApiError` with the server's own sentence.
 */

/** @import {FieldProblem, Problem} from "./messages.js" */

const UNREACHABLE = {
  code: "unreachable",
  message: "The shop cannot be reached right now. Check your connection and try again.",
};
const UNREADABLE = { code: "failed", message: "Something went wrong on our side. Please try again in a moment." };

/** What a person asked for and did not get. `status` is 0 when there was no answer; `details` holds the code's own fields. */
export class ApiError extends Error {
  /** @param {Partial<Problem> & {code: string, message: string}} problem */
  constructor(problem) {
    const { code, message, status, errors, ...details } = problem;
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status ?? 0;
    /** @type {Record<string, any>} */
    this.details = details;
    /** @type {FieldProblem[]} */
    this.errors = errors ?? [];
  }

  /** The server said no; repeating the same request cannot change that. */
  get isFinal() {
    return this.status >= 400 && this.status < 500 && this.status !== 429;
  }
}

/** @param {unknown} error @returns {ApiError} the same error, or one that hides what a person cannot act on */
export function asApiError(error) {
  if (error instanceof ApiError) return error;
  console.error(error);
  return new ApiError(UNREADABLE);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] JSON, or a Blob sent as it is
 * @returns {Promise<any>}
 */
async function call(method, path, body) {
  const raw = body instanceof Blob;
  const type = raw ? body.type || "application/octet-stream" : "application/json";
  const response = await fetch(`/api/v1/${path.replace(/^\//, "")}`, {
    method,
    credentials: "same-origin",
    headers: body === undefined ? {} : { "Content-Type": type },
    body: raw ? body : body === undefined ? undefined : JSON.stringify(body),
  }).catch(() => {
    throw new ApiError(UNREACHABLE);
  });
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  throw new ApiError({ ...UNREADABLE, ...answer, status: response.status });
}

/** @param {string} path */
export const get = (path) => call("GET", path);
/** @param {string} path @param {unknown} [body] */
export const post = (path, body) => call("POST", path, body);
/** @param {string} path @param {unknown} body */
export const patch = (path, body) => call("PATCH", path, body);
/** @param {string} path @param {unknown} [body] */
export const put = (path, body) => call("PUT", path, body);
/** @param {string} path */
export const del = (path) => call("DELETE", path);

/** A fresh idempotency key: 22 URL-safe characters, 128 bits. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
