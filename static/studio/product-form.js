import { css, html, LitElement } from "lit";
import { post } from "../shared/api.js";
import { controls } from "../shared/controls.js";
import "../shared/icon.js";
import { parseMoney } from "../shared/format.js";
import { checkPrice } from "./price.js";
import { told } from "./told.js";

/** @import {NewProduct, NewVariant, Product, Shop} from "../shared/messages.js" */

/** Creates a product with its variants, store stock and pictures. Fires `created` (Product). */
class ProductForm extends LitElement {
  static properties = {
    shop: { attribute: false },
    options: { state: true },
    rows: { state: true },
    busy: { state: true },
  };

  static styles = [
    controls,
    css`
      form { display: grid; gap: var(--space-4); }
      fieldset { display: grid; grid-template-columns: repeat(auto-fit, minmax(6.5rem, 1fr)); gap: var(--space-2); align-items: end; margin: 0; padding: var(--space-3); border: 1px solid var(--color-line); border-radius: var(--radius-m); }
      legend { padding: 0 var(--space-1); color: var(--color-muted); font-size: var(--text-s); }
      .field { min-width: 0; }
      .actions { display: flex; gap: var(--space-2); justify-content: space-between; }
      .actions .button { padding-inline: var(--space-4); white-space: nowrap; }
    `,
  ];

  constructor() {
    super();
    /** @type {Shop | null} */
    this.shop = null;
    /** @type {string[]} */
    this.options = [];
    /** Numbers of the variant rows, so that removing one keeps what was typed into the others. */
    this.rows = [0];
    this.busy = false;
  }

  /** @param {Event} event */
  #readOptions = (event) => {
    const names = /** @type {HTMLInputElement} */ (event.target).value.split(",").map((name) => name.trim());
    this.options = names.filter(Boolean).slice(0, 3);
  };

  /** @param {SubmitEvent} event */
  #submit = async (event) => {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    this.busy = true;
    const product = await told(this.#create(data));
    this.busy = false;
    if (product) this.dispatchEvent(new CustomEvent("created", { detail: product }));
  };

  /**
   * @param {FormData} data
   * @returns {Promise<Product>}
   */
  async #create(data) {
    let product = await post(`shops/${this.shop?.id}/products`, this.#product(data));
    for (const picture of data.getAll("pictures")) {
      if (!(picture instanceof File) || picture.size === 0) continue;
      product = await upload(product, picture);
    }
    return product;
  }

  /**
   * @param {FormData} data
   * @returns {NewProduct}
   */
  #product(data) {
    const text = (/** @type {string} */ name) => String(data.get(name) ?? "").trim();
    /** @type {NewVariant[]} */
    const variants = this.rows.map((row) => ({
      sku: text(`sku:${row}`),
      options: this.options.map((_, place) => text(`option:${row}:${place}`)),
      price: parseMoney(text(`price:${row}`), this.shop?.currency ?? "EUR") ?? 0,
    }));
    return {
      title: text("title"),
      description: paragraphs(text("description")),
      options: /** @type {NewProduct["options"]} */ (this.options),
      variants: /** @type {NewProduct["variants"]} */ (variants),
    };
  }

  #addRow = () => {
    this.rows = [...this.rows, Math.max(...this.rows) + 1];
  };

  /** @param {Event} event */
  #checkPrice = (event) => checkPrice(event, this.shop?.currency ?? "EUR");

  render() {
    return html`
      <form @submit=${this.#submit}>
        <label class="field"><span class="label">Title</span><input class="input" name="title" required maxlength="120"></label>
        <label class="field"><span class="label">Description</span><textarea class="input" name="description" rows="3" maxlength="10000"></textarea></label>
        <label class="field"><span class="label">Pictures</span><input name="pictures" type="file" accept="image/*" multiple></label>
        <label class="field">
          <span class="label">Options, if there are any</span>
          <input class="input" placeholder="Colour, Size" @input=${this.#readOptions}>
        </label>
        ${this.rows.map((row, index) => this.#variant(row, index))}
        <div class="actions">
          <button class="button" type="button" @click=${this.#addRow}><ui-icon name="plus"></ui-icon>Another variant</button>
          <button class="button primary" ?disabled=${this.busy}>Create product</button>
        </div>
      </form>
    `;
  }

  /**
   * @param {number} row
   * @param {number} index
   */
  #variant(row, index) {
    const remove = () => {
      this.rows = this.rows.filter((other) => other !== row);
    };
    return html`
      <fieldset>
        <legend>Variant ${index + 1}</legend>
        ${this.options.map(
          (option, place) => html`
            <label class="field"><span class="label">${option}</span><input class="input" name="option:${row}:${place}" required maxlength="80"></label>
          `,
        )}
        <label class="field"><span class="label">SKU</span><input class="input" name="sku:${row}" required maxlength="64" autocapitalize="characters"></label>
        <label class="field"><span class="label">Price (${this.shop?.currency})</span><input class="input" name="price:${row}" inputmode="decimal" required @input=${this.#checkPrice}></label>
        ${this.rows.length > 1 ? html`<button class="button quiet" type="button" @click=${remove}>Remove<span class="visually-hidden"> variant ${index + 1}</span></button>` : ""}
      </fieldset>
    `;
  }
}

/**
 * @param {Product} product
 * @param {File} picture
 * @returns {Promise<Product>}
 */
function upload(product, picture) {
  return post(`products/${product.id}/images?alt=${encodeURIComponent(product.title)}`, picture);
}

/** Plain text as HTML paragraphs. @param {string} text */
function paragraphs(text) {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return escaped
    .split(/\n\s*\n/)
    .filter(Boolean)
    .map((part) => `<p>${part.replaceAll("\n", "<br>")}</p>`)
    .join("");
}

customElements.define("product-form", ProductForm);
