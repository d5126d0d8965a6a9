/** Sign in and sign up: two tabs of one page. `?next=` is where to go afterwards, on this server only. */

import { css, html, LitElement } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { asApiError, post } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import { errorsByField, field, focusFirstError, textsOf } from "../shared/field.js";
import "../shared/header.js";
import { me } from "../shared/me.js";
import { problem } from "../shared/page-states.js";

/** @import {Field} from "../shared/field.js" */
/** @import {Me} from "../shared/messages.js" */

const TABS = [
  { id: "sign-in", label: "Sign in", path: "session", action: "Sign in" },
  { id: "sign-up", label: "Create account", path: "accounts", action: "Create account" },
];

/** A path of this server, or home: a link to a foreign page must not ride on our sign-in. */
function next() {
  const wish = new URLSearchParams(location.search).get("next") ?? "/";
  if (!URL.canParse(wish, location.origin)) return "/";
  const url = new URL(wish, location.origin);
  return url.origin === location.origin ? url.pathname + url.search + url.hash : "/";
}

class AccountPage extends LitElement {
  static properties = {
    tab: { state: true },
    busy: { state: true },
    errors: { state: true },
    message: { state: true },
    me: { state: true },
  };

  static styles = [
    controls,
    css`
      :host { max-width: 26rem; margin: var(--space-5) auto 0; }
      h1 { margin-bottom: var(--space-5); font-size: var(--text-3xl); }
      [role="tablist"] { display: grid; grid-template-columns: 1fr 1fr; gap: var(--space-1); margin-bottom: var(--space-5); padding: var(--space-1); border-radius: var(--radius-full); background: var(--color-sunken); }
      [role="tab"] { min-height: 2.75rem; border: 0; border-radius: var(--radius-full); color: var(--color-muted); background: none; font-weight: 620; cursor: pointer; }
      [role="tab"][aria-selected="true"] { color: var(--color-ink); background: var(--color-surface); box-shadow: var(--shadow-card); }
      .why { margin-top: var(--space-5); color: var(--color-muted); font-size: var(--text-s); }
    `,
  ];

  constructor() {
    super();
    this.tab = location.hash === "#sign-up" ? "sign-up" : "sign-in";
    this.busy = false;
    /** @type {Record<string, string>} */
    this.errors = {};
    this.message = "";
    /** @type {Me | null} */
    this.me = null;
  }

  connectedCallback() {
    super.connectedCallback();
    me().then(
      (answer) => {
        this.me = answer;
      },
      () => {}, // the form says so when it is sent
    );
  }

  /** @param {string} tab */
  #select(tab) {
    Object.assign(this, { tab, errors: {}, message: "" });
  }

  /** @param {KeyboardEvent} event */
  async #keyed(event) {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    this.#select(this.tab === "sign-in" ? "sign-up" : "sign-in");
    await this.updateComplete;
    /** @type {HTMLElement | null} */ (this.renderRoot.querySelector('[aria-selected="true"]'))?.focus();
  }

  /** @param {SubmitEvent} event */
  async #submitted(event) {
    event.preventDefault();
    if (this.busy) return;
    Object.assign(this, { busy: true, errors: {}, message: "" });
    const form = /** @type {HTMLFormElement} */ (event.target);
    const password = String(new FormData(form).get("password")); // as typed: spaces belong to it
    const path = TABS.find(({ id }) => id === this.tab)?.path ?? "session";
    try {
      await post(path, { ...textsOf(form), password });
      location.assign(next());
    } catch (error) {
      await this.#refused(error);
    }
  }

  /** @param {unknown} raw */
  async #refused(raw) {
    const error = asApiError(raw);
    this.busy = false;
    this.errors = error.code === "handle_taken" ? { handle: error.message } : errorsByField(error);
    this.message = Object.keys(this.errors).length > 0 ? "" : error.message;
    await this.updateComplete;
    focusFirstError(this.renderRoot);
  }

  /** By name, so that what was typed stays in its field when the tab changes. @returns {Field[]} */
  #fields() {
    const { errors } = this;
    const handle = {
      name: "handle",
      label: "Handle",
      autocomplete: "username",
      capitals: /** @type {const} */ ("none"),
      maxlength: 30,
      error: errors.handle,
    };
    const password = { name: "password", label: "Password", type: "password", maxlength: 200, error: errors.password };
    if (this.tab === "sign-in") return [handle, { ...password, autocomplete: "current-password" }];
    return [
      { name: "name", label: "Name", autocomplete: "name", hint: "How others see you.", error: errors.name },
      { ...handle, hint: "3 to 30 small letters, digits, - or _. It is your address here." },
      { ...password, autocomplete: "new-password", hint: "At least 10 characters." },
    ];
  }

  /** @param {(typeof TABS)[number]} tab */
  #tabButton({ id, label }) {
    const selected = id === this.tab;
    return html`<button type="button" role="tab" id="tab-${id}" aria-selected=${selected} aria-controls="panel" tabindex=${selected ? 0 : -1}
      @click=${() => this.#select(id)} @keydown=${this.#keyed}>${label}</button>`;
  }

  #signedIn() {
    return html`<h1>Welcome back</h1>
      <p class="muted">You are signed in as <strong>${this.me?.account?.name}</strong>.</p>
      <p class="why"><a class="button primary" href=${next()}>Go on</a></p>`;
  }

  render() {
    if (this.me?.account) return this.#signedIn();
    const action = TABS.find(({ id }) => id === this.tab)?.action;
    return html`
      <h1>${this.tab === "sign-in" ? "Welcome back" : "Join in"}</h1>
      <div role="tablist" aria-label="Account">${TABS.map((tab) => this.#tabButton(tab))}</div>
      <div id="panel" role="tabpanel" aria-labelledby="tab-${this.tab}"><form class="stack" novalidate @submit=${this.#submitted}>
        ${problem(this.message)} ${repeat(this.#fields(), ({ name }) => name, field)}
        <button class="button primary wide" aria-disabled=${this.busy}>${this.busy ? "One moment…" : action}</button>
      </form></div>
      <p class="why">You can watch and buy without an account. What is in your bag stays yours when you sign in.</p>`;
  }
}

customElements.define("account-page", AccountPage);
