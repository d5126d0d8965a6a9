/** One labelled input of a form, with its hint and its error, for elements whose styles hold `controls`. */

import { html, nothing } from "lit";

/** @import {ApiError} from "./api.js" */
/** @import {TemplateResult} from "lit" */

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {string} [type] of the input
 * @property {string} [autocomplete]
 * @property {string} [value]
 * @property {string} [hint]
 * @property {string} [error]
 * @property {boolean} [optional]
 * @property {number} [maxlength]
 * @property {"none" | "words"} [capitals]
 * @property {"decimal" | "email" | "numeric" | "text"} [keyboard]
 */

/** @param {Field} field @returns {TemplateResult} */
export function field({ name, label, type = "text", autocomplete, value = "", hint, error, ...more }) {
  const notes = [hint && !error ? `${name}-hint` : "", error ? `${name}-error` : ""].join(" ").trim();
  return html`<div class="field">
    <label for=${name}>${label}${more.optional ? html` <span class="muted">(optional)</span>` : nothing}</label>
    <input class="input" id=${name} name=${name} type=${type} .value=${value} autocomplete=${autocomplete ?? nothing}
      maxlength=${more.maxlength ?? 120} autocapitalize=${more.capitals ?? nothing} inputmode=${more.keyboard ?? nothing}
      ?required=${!more.optional} aria-invalid=${error ? "true" : nothing} aria-describedby=${notes || nothing} />
    ${hint && !error ? html`<span class="hint" id="${name}-hint">${hint}</span>` : nothing} ${fieldError(name, error)}
  </div>`;
}

/** @param {string} name @param {string | undefined} error */
export function fieldError(name, error) {
  return error
    ? html`<span class="error" id="${name}-error"><ui-icon name="circle-alert"></ui-icon>${error}</span>`
    : nothing;
}

/** The server's complaints by the last part of each field's name. @param {ApiError} error @returns {Record<string, string>} */
export function errorsByField(error) {
  return Object.fromEntries(error.errors.map(({ field: path, message }) => [path.split(".").at(-1) ?? "", message]));
}

/** Put the cursor where the first mistake is. @param {ParentNode} root */
export function focusFirstError(root) {
  const first = /** @type {HTMLElement | null} */ (root.querySelector('[aria-invalid="true"]'));
  first?.focus();
}

/** The texts of a form, by field. @param {HTMLFormElement} form @returns {Record<string, string>} */
export function textsOf(form) {
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]));
}
