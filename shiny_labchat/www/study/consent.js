// @ts-check
import { make, mark } from "../dom.js";

/** What a person can agree to, each with a box to tick. No box is ticked in advance. */
export class Consent {
  #items;
  #boxes;
  element;

  /**
   * @param {import("../protocol.js").ConsentItem[]} items
   * @param {string} prefix of the ids in the page
   * @param {string} needed said of what one has to agree to
   */
  constructor(items, prefix, needed) {
    this.#items = items;
    this.#boxes = items.map(({ required }, at) => {
      const marks = { type: "checkbox", class: "form-check-input", id: `${prefix}-item-${at}`, autocomplete: "off" };
      return make("input", { ...marks, "aria-required": required ? "true" : null });
    });
    const rows = items.map(({ text, required }, at) => {
      const label = make("label", { class: "form-check-label", for: this.#boxes[at].id }, text);
      if (required && needed) label.append(" ", make("span", { class: "labchat-study-quiet" }, `(${needed})`));
      return make("div", { class: "form-check" }, this.#boxes[at], label);
    });
    this.element = make("div", { class: "labchat-study-items" }, ...rows);
    this.element.addEventListener("change", () => this.#unmark());
  }

  /** The answers, by the items' ids. */
  get answers() {
    return Object.fromEntries(this.#items.map(({ id }, at) => [id, this.#boxes[at].checked]));
  }

  /** Mark what one has to agree to and has not; returns whether that is nothing. */
  check() {
    const missing = this.#boxes.filter((box, at) => this.#items[at].required && !box.checked);
    for (const box of this.#boxes) invalidate(box, missing.includes(box));
    missing[0]?.focus();
    return missing.length === 0;
  }

  #unmark() {
    for (const box of this.#boxes) if (box.checked) invalidate(box, false);
  }
}

/** @param {HTMLInputElement} box @param {boolean} isInvalid */
function invalidate(box, isInvalid) {
  box.classList.toggle("is-invalid", isInvalid);
  mark(box, "aria-invalid", isInvalid ? "true" : null);
}
