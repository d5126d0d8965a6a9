/** `<life-chip .life>`: where a show stands, in a word. */

import { css, html, LitElement } from "lit";
import { controls } from "./controls.js";

/** @import {Life} from "./messages.js" */

/** @type {Record<Life["status"], string>} */
const WORDS = { scheduled: "Scheduled", live: "LIVE", ending: "Ending", ended: "Ended" };

class LifeChip extends LitElement {
  static properties = { life: { attribute: false } };

  static styles = [
    controls,
    css`
      :host { display: inline-flex; }
      .live::before { width: 0.5em; height: 0.5em; border-radius: 50%; background: currentColor; content: ""; }
    `,
  ];

  constructor() {
    super();
    /** @type {Life | null} */
    this.life = null;
  }

  render() {
    const status = this.life?.status ?? "scheduled";
    const looks = status === "live" || status === "ending" ? "live" : "";
    return html`<span class="chip ${looks}">${WORDS[status]}</span>`;
  }
}

customElements.define("life-chip", LifeChip);
