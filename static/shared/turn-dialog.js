/**
 * `<turn-dialog .line .standings .anchors .shown .clockOffset>`: tells of a turn wherever its reader is, unless the product's
 * own sheet does: `.shown` is the product that is open.
 */

import { html, LitElement } from "lit";
import { controls } from "./controls.js";
import "./dialog.js";
import "./hold-card.js";
import { anchorOf, nameOf } from "./offers.js";

/** @import {Anchor, Hold} from "./messages.js" */
/** @import {Standing, WaitingLine} from "./waiting-line.js" */

class TurnDialog extends LitElement {
  static properties = {
    line: { attribute: false },
    standings: { attribute: false },
    anchors: { attribute: false },
    shown: { attribute: false },
    clockOffset: { attribute: false },
  };

  static styles = controls;

  constructor() {
    super();
    /** @type {WaitingLine | null} */
    this.line = null;
    /** @type {Map<string, Standing>} */
    this.standings = new Map();
    /** @type {Anchor[]} */
    this.anchors = [];
    /** @type {string | null} */
    this.shown = null;
    this.clockOffset = 0;
  }

  get #turns() {
    const turns = [...this.standings.values()].flatMap((standing) => (standing.state === "turn" ? standing : []));
    const told = turns.map(({ hold, seen }) => ({ hold, seen, anchor: anchorOf(this.anchors, hold.variant) }));
    return told.filter(({ seen, anchor }) => !seen && !(anchor && anchor.product === this.shown));
  }

  render() {
    const turns = this.#turns;
    const close = () => {
      for (const { hold } of turns) this.line?.dismiss(hold.variant);
    };
    return html`<ui-dialog heading="It is your turn" .open=${turns.length > 0} @close=${close}>
      <div class="stack">${turns.map(({ hold, anchor }) => this.#card(hold, anchor))}</div>
    </ui-dialog>`;
  }

  /** @param {Hold} hold @param {Anchor | undefined} anchor */
  #card(hold, anchor) {
    return html`<hold-card offer=${nameOf(anchor, hold.variant)} .hold=${hold} .shop=${anchor?.shop.id ?? ""} .nowOffset=${this.clockOffset}
      @decline=${() => this.line?.decline(hold)}></hold-card>`;
  }
}

customElements.define("turn-dialog", TurnDialog);
