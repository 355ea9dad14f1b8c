// @ts-check
import { make } from "../dom.js";

/** Who is typing. Hidden from screen readers. */
export class TypingIndicator {
  #labels;
  /** @type {[string, string | null][]} */
  #who = [];
  element = make("div", { class: "labchat-typing", "aria-hidden": "true" });

  /** @param {import("../labels.js").Labels} labels */
  constructor(labels) {
    this.#labels = labels;
  }

  /**
   * @param {[string, string | null][]} who
   * @param {string | null} me
   */
  show(who, me) {
    this.#who = who.filter(([h]) => h !== me);
    this.#draw();
  }

  /** Remove these people: their messages have come. @param {Set<string | null>} handles */
  stop(handles) {
    if (!this.#who.some(([h]) => handles.has(h))) return;
    this.#who = this.#who.filter(([h]) => !handles.has(h));
    this.#draw();
  }

  #draw() {
    const [a = null, b = null] = this.#who.map(([, name]) => name);
    const label = this.#who.length > 2 ? "typing_many" : this.#who.length === 2 ? "typing_two" : "typing_one";
    const words = this.#who.length ? this.#labels.nodes(label, { a, b }) : [];
    this.element.replaceChildren(...words);
  }
}
