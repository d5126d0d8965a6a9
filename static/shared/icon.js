/** `<ui-icon name="shopping-bag">`: a Lucide icon in the text's colour. Decorative: the label stands beside it or on its button. */

import { css, LitElement } from "lit";

/** @param {string} name */
const address = (name) => `/vendor/lucide-static/icons/${name}.svg`;

/** Fetch an icon ahead of time: one that is first shown when the connection is gone could not come then. @param {string} name */
export function keepReady(name) {
  fetch(address(name)).catch(() => {});
}

class Icon extends LitElement {
  static properties = { name: {} };

  static styles = css`
    :host {
      display: inline-block; flex: none; width: 1.25em; height: 1.25em; vertical-align: -0.25em;
      background: currentColor; mask: var(--shape) center / contain no-repeat;
    }
    @media (forced-colors: active) { :host { background: CanvasText; } }
  `;

  constructor() {
    super();
    this.name = "";
  }

  connectedCallback() {
    super.connectedCallback();
    this.ariaHidden = "true";
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has("name")) this.style.setProperty("--shape", `url("${address(this.name)}")`);
  }
}

customElements.define("ui-icon", Icon);
