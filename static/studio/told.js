import { asApiError } from "../shared/api.js";
import { toast } from "../shared/toast.js";

/**
 * The answer, or null after the person was told why there is none.
 * @template T
 * @param {Promise<T>} answer
 * @returns {Promise<T | null>}
 */
export async function told(answer) {
  try {
    return await answer;
  } catch (caught) {
    const error = asApiError(caught);
    const fields = error.errors.map(({ field, message }) => `${field}: ${message}`);
    toast([error.message, ...fields].join(" "), { tone: "bad" });
    return null;
  }
}
