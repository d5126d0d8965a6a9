/** What a page shows while it has nothing to show yet, or could not get it; for elements whose styles hold `controls`. */

import { html, nothing } from "lit";
import "./icon.js";

/** @import {ApiError} from "./api.js" */

/** A sentence and, where trying again makes sense, a button. @param {ApiError} error @param {() => unknown} again */
export function failed(error, again) {
  return html`<div class="empty" role="alert">
    <h2>${error.status === 404 ? "Nothing here" : "That did not load"}</h2>
    <p>${error.message}</p>
    ${error.isFinal ? html`<a class="button" href="/">Go to the home page</a>` : html`<button type="button" class="button" @click=${again}>Try again</button>`}
  </div>`;
}

/** @param {string} message */
export function problem(message) {
  return message
    ? html`<p class="notice bad" role="alert"><ui-icon name="circle-alert"></ui-icon><span>${message}</span></p>`
    : nothing;
}
