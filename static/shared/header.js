/** `<site-header>`: the way home, to the studio, the orders, the bag and the account. Works signed out. */

import { css, html, LitElement, nothing } from "lit";
import { del } from "./api.js";
import "./bag.js";
import { controls } from "./controls.js";
import "./icon.js";
import { me } from "./me.js";

/** @import {Me} from "./messages.js" */

class SiteHeader extends LitElement {
  static properties = { me: { state: true } };

  static styles = [
    controls,
    css`
      :host { position: sticky; z-index: 5; top: 0; background: color-mix(in srgb, var(--color-page) 88%, transparent); backdrop-filter: blur(14px); }
      header {
        display: flex; align-items: center; gap: var(--space-1); width: min(100% - 2 * var(--space-4), var(--page-width));
        height: var(--header-height); margin-inline: auto;
      }
      .home { display: flex; align-items: center; gap: 0.5rem; margin-right: auto; font-size: var(--text-l); font-weight: 760; letter-spacing: var(--tight); text-decoration: none; }
      .mark { width: 1.5rem; height: 1.5rem; border-radius: 50%; border: 0.4375rem solid var(--color-accent); }
      nav { display: flex; align-items: center; gap: var(--space-1); }
      .link { display: inline-flex; align-items: center; min-height: var(--touch); padding: 0 0.75rem; border-radius: var(--radius-full); font-size: var(--text-s); font-weight: 580; text-decoration: none; }
      .link:hover { background: var(--color-sunken); }
      .menu {
        inset: auto; position-area: bottom span-left; min-width: 13rem; margin: 0.25rem 0 0; padding: var(--space-2); border: 1px solid var(--color-line);
        border-radius: var(--radius-m); color: var(--color-ink); background: var(--color-surface); box-shadow: var(--shadow-float);
      }
      .menu .who { padding: var(--space-2) var(--space-3) var(--space-3); border-bottom: 1px solid var(--color-line); margin-bottom: var(--space-2); line-height: 1.3; }
      .menu :is(a, button) {
        display: flex; align-items: center; gap: var(--space-3); width: 100%; min-height: var(--touch); padding: 0 var(--space-3); border: 0;
        border-radius: var(--radius-s); background: none; font-size: var(--text-s); font-weight: 560; text-decoration: none; cursor: pointer;
      }
      .menu :is(a, button):hover { background: var(--color-sunken); }
      @supports not (position-area: bottom) { .menu { inset: var(--header-height) var(--space-4) auto auto; } }
      @media (max-width: 40rem) { .link { display: none; } }
    `,
  ];

  constructor() {
    super();
    /** @type {Me | null} */
    this.me = null;
  }

  connectedCallback() {
    super.connectedCallback();
    me().then(
      (answer) => {
        this.me = answer;
      },
      () => {}, // the page itself says that the server cannot be reached
    );
  }

  async #signOut() {
    await del("session");
    location.assign("/");
  }

  #account() {
    const here = encodeURIComponent(location.pathname + location.search);
    const account = this.me?.account;
    return html`<button type="button" class="icon-button" popovertarget="menu" aria-label=${account ? `Account: ${account.name}` : "Menu"}>
        <ui-icon name=${account ? "circle-user-round" : "menu"}></ui-icon></button>
      <div id="menu" class="menu" popover>
        ${account ? html`<p class="who"><strong>${account.name}</strong><br /><span class="muted small">@${account.handle}</span></p>` : nothing}
        <a href="/orders"><ui-icon name="package"></ui-icon>Orders</a>
        <a href="/studio"><ui-icon name="video"></ui-icon>Studio</a>
        ${
          account
            ? html`<button type="button" @click=${this.#signOut}><ui-icon name="log-out"></ui-icon>Sign out</button>`
            : html`<a href="/sign-in?next=${here}"><ui-icon name="log-in"></ui-icon>Sign in or sign up</a>`
        }
      </div>`;
  }

  render() {
    const here = encodeURIComponent(location.pathname + location.search);
    const signedOut = this.me !== null && this.me.account === null;
    return html`<header>
      <a class="home" href="/"><span class="mark"></span>Streamserver</a>
      <nav aria-label="Main">
        <a class="link" href="/studio">Studio</a>
        <a class="link" href="/orders">Orders</a>
        ${signedOut ? html`<a class="link" href="/sign-in?next=${here}">Sign in</a>` : nothing}
        <bag-button></bag-button>
        ${this.#account()}
      </nav>
    </header>`;
  }
}

customElements.define("site-header", SiteHeader);
