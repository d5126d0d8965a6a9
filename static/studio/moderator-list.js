import { css, html, LitElement } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { del, get, put } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import { told } from "./told.js";

/** @import {Moderator, ModeratorGrant, ModeratorList as Answer} from "../shared/messages.js" */
/** @typedef {ModeratorGrant["permissions"][number]} Permission */

/** @type {[Permission, string][]} */
const PERMISSIONS = [
  ["pin", "Pin"],
  ["lineup", "Line-up"],
  ["chat", "Chat"],
  ["ban", "Ban"],
];

/** Who helps in a room, and with what. */
class ModeratorList extends LitElement {
  static properties = { room: {}, moderators: { state: true } };

  static styles = [
    controls,
    css`
      ul { display: grid; gap: var(--space-4); margin: 0 0 var(--space-4); padding: 0; list-style: none; }
      li { display: grid; grid-template-columns: 1fr auto; gap: var(--space-2); align-items: center; }
      fieldset { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: var(--space-1) var(--space-4); margin: 0; padding: 0; border: 0; }
      input[type="checkbox"] { width: 1.125rem; height: 1.125rem; margin: 0; accent-color: var(--color-accent); }
      fieldset label { display: flex; align-items: center; gap: var(--space-2); min-height: 2rem; }
      form { display: flex; gap: var(--space-2); align-items: end; }
      form .field { flex: 1; min-width: 0; }
      .empty { color: var(--color-muted); margin: 0 0 var(--space-4); }
    `,
  ];

  constructor() {
    super();
    this.room = "";
    /** @type {Moderator[]} */
    this.moderators = [];
  }

  firstUpdated() {
    this.#show(get(`rooms/${this.room}/moderators`));
  }

  /** @param {Promise<Answer>} answer */
  async #show(answer) {
    const list = await told(answer);
    if (list) this.moderators = list.moderators;
    return list !== null;
  }

  /**
   * @param {string} handle
   * @param {Permission[]} permissions none at all ends it
   */
  #grant(handle, permissions) {
    const path = `rooms/${this.room}/moderators/${encodeURIComponent(handle)}`;
    return this.#show(permissions.length > 0 ? put(path, { permissions }) : del(path));
  }

  /**
   * @param {Moderator} moderator
   * @param {Permission} permission
   * @param {Event} event
   */
  async #flip(moderator, permission, event) {
    const box = /** @type {HTMLInputElement} */ (event.target);
    const others = moderator.permissions.filter((other) => other !== permission);
    const done = await this.#grant(moderator.person.handle, box.checked ? [...others, permission] : others);
    if (!done) box.checked = !box.checked;
  }

  /** @param {SubmitEvent} event */
  #add = async (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const handle = String(new FormData(form).get("handle")).trim().replace(/^@/, "").toLowerCase();
    if (handle && (await this.#grant(handle, ["pin"]))) form.reset();
  };

  render() {
    return html`
      ${this.moderators.length === 0 ? html`<p class="empty">Nobody yet. Add somebody by handle: they start with pinning.</p>` : ""}
      <ul>${repeat(
        this.moderators,
        ({ person }) => person.handle,
        (moderator) => this.#row(moderator),
      )}</ul>
      <form @submit=${this.#add}>
        <label class="field"><span class="label">Handle</span><input class="input" name="handle" required autocomplete="off" autocapitalize="none" spellcheck="false"></label>
        <button class="button">Add</button>
      </form>
    `;
  }

  /** @param {Moderator} moderator */
  #row(moderator) {
    const { person, permissions } = moderator;
    return html`
      <li>
        <span><strong>${person.name}</strong> @${person.handle}</span>
        <button class="button quiet" @click=${() => this.#grant(person.handle, [])}>
          Remove<span class="visually-hidden"> ${person.name}</span>
        </button>
        <fieldset>
          <legend class="visually-hidden">What ${person.name} may do</legend>
          ${PERMISSIONS.map(
            ([permission, label]) => html`
              <label>
                <input type="checkbox" .checked=${permissions.includes(permission)} @change=${(/** @type {Event} */ event) => this.#flip(moderator, permission, event)}>
                ${label}
              </label>
            `,
          )}
        </fieldset>
      </li>
    `;
  }
}

customElements.define("moderator-list", ModeratorList);
