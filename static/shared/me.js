/** Who is looking at this page, asked once per page. Asking also gives a newcomer the signed device mark. */

import { get } from "./api.js";

/** @import {Me} from "./messages.js" */

/** @type {Promise<Me> | undefined} */
let asked;

/** @returns {Promise<Me>} rejects with an ApiError; the next call asks again */
export function me() {
  asked ??= get("me");
  asked.catch(() => {
    asked = undefined;
  });
  return asked;
}
