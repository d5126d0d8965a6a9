/** `<product-gallery .images .name>`: a strip of pictures to swipe or scroll, with thumbnails when there are several. */

import { css, html, LitElement, nothing } from "lit";
import { controls } from "./controls.js";
import "./icon.js";

/** @import {Image} from "./messages.js" */

class ProductGallery extends LitElement {
  static properties = {
    images: { attribute: false },
    name: {},
    shown: { state: true },
  };

  static styles = [
    controls,
    css`
      :host { container-type: inline-size; min-width: 0; }
      .strip {
        display: flex; aspect-ratio: 1; border-radius: var(--radius-l); background: var(--color-sunken);
        overflow: auto hidden; scroll-snap-type: x mandatory; scrollbar-width: none; scroll-behavior: smooth;
      }
      .strip img { flex: none; width: 100%; height: 100%; object-fit: cover; scroll-snap-align: center; }
      .none { display: grid; place-items: center; width: 100%; color: var(--color-control); }
      .none ui-icon { width: 3rem; height: 3rem; }
      .thumbs { display: flex; gap: var(--space-2); margin-top: var(--space-3); padding: 3px; overflow-x: auto; scrollbar-width: none; }
      .thumbs button {
        flex: none; width: 3.5rem; aspect-ratio: 1; padding: 0; border: 0; border-radius: var(--radius-s); background: none;
        overflow: hidden; cursor: pointer; opacity: 0.62; transition: opacity var(--motion-fast);
      }
      .thumbs img { width: 100%; height: 100%; object-fit: cover; }
      .thumbs button[aria-current="true"] { opacity: 1; box-shadow: 0 0 0 2px var(--color-surface), 0 0 0 4px var(--color-ink); }
      @container (max-width: 28rem) { .strip { aspect-ratio: 4 / 3; } }
      @media (prefers-reduced-motion: reduce) { .strip { scroll-behavior: auto; } }
    `,
  ];

  constructor() {
    super();
    /** @type {Image[]} */
    this.images = [];
    this.name = "";
    this.shown = 0;
  }

  get #strip() {
    return /** @type {HTMLElement} */ (this.renderRoot.querySelector(".strip"));
  }

  #scrolled() {
    this.shown = Math.round(this.#strip.scrollLeft / this.#strip.clientWidth);
  }

  /** @param {number} index */
  #show(index) {
    this.#strip.scrollTo({ left: index * this.#strip.clientWidth });
  }

  /** @param {Image} image @param {number} index */
  #picture(image, index) {
    return html`<img src=${image.medium} srcset="${image.medium} 640w, ${image.large} 1600w" sizes="(min-width: 60rem) 34rem, 100vw"
      width=${image.width} height=${image.height} alt=${image.alt || `${this.name}, picture ${index + 1}`}
      loading=${index === 0 ? "eager" : "lazy"} />`;
  }

  /** @param {Image} image @param {number} index */
  #thumb(image, index) {
    return html`<button type="button" aria-label="Show picture ${index + 1} of ${this.images.length}"
      aria-current=${index === this.shown} @click=${() => this.#show(index)}><img src=${image.small} alt="" /></button>`;
  }

  render() {
    const several = this.images.length > 1;
    const pictures = this.images.map((image, index) => this.#picture(image, index));
    return html`
      <div class="strip" tabindex=${several ? 0 : nothing} role=${several ? "group" : nothing} aria-label=${several ? "Pictures" : nothing}
        @scroll=${this.#scrolled}>
        ${pictures.length > 0 ? pictures : html`<div class="none"><ui-icon name="image"></ui-icon></div>`}
      </div>
      ${several ? html`<div class="thumbs">${this.images.map((image, index) => this.#thumb(image, index))}</div>` : nothing}`;
  }
}

customElements.define("product-gallery", ProductGallery);
