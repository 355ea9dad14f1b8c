// @ts-check
import { make } from "../dom.js";

/** Asks the person whether they are still there, in a dialog with a button. */
export class Question {
  #onConfirm;
  #timer = 0;
  /** The id of the question that is shown. */
  #id = "";
  element;

  /**
   * @param {import("../labels.js").Labels} labels
   * @param {string} id the chat's, by which the dialog's words are found
   * @param {(id: string) => void} onConfirm
   */
  constructor(labels, id, onConfirm) {
    this.#onConfirm = onConfirm;
    const words = make("p", { id: `${id}_question` }, labels.text("asked"));
    const button = make("button", { type: "button", class: "btn btn-primary" }, labels.text("confirm"));
    const marks = { class: "labchat-question", role: "alertdialog", "aria-labelledby": words.id };
    this.element = make("dialog", marks, words, button);
    button.addEventListener("click", () => this.#confirm());
    this.element.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#confirm(); // who presses Escape is there
    });
  }

  /**
   * Ask, for as long as the person may answer; id null: do not ask any more.
   *
   * @param {import("../protocol.js").Asked} asked
   */
  show({ id, within = 0 }) {
    clearTimeout(this.#timer);
    this.#id = id ?? "";
    if (id === null || !this.element.isConnected) return this.element.close();
    this.#timer = window.setTimeout(() => this.element.close(), within);
    if (!this.element.open) this.element.showModal();
  }

  /** Do not ask any more. */
  hide() {
    this.show({ t: "asked", id: null });
  }

  #confirm() {
    const id = this.#id;
    this.hide();
    this.#onConfirm(id);
  }
}
