// @ts-check
import { make } from "../dom.js";
import { linked } from "./links.js";
import { morph } from "./morph.js";

/** Plain text, with its links. */
export class PlainText {
  #context;
  #text = "";
  element = make("div", { class: "labchat-text", dir: "auto" });
  ready = Promise.resolve();

  /** @param {import("./parts.js").DrawContext} context */
  constructor(context) {
    this.#context = context;
  }

  /** @param {string} more */
  add(more) {
    this.become(this.#text + more);
  }

  /** @param {string} text */
  become(text) {
    if (text === this.#text) return;
    this.#text = text;
    this.ready = this.#context.draw(this);
  }

  close() {}

  drop() {}

  async draw() {
    this.#context.keepStill(() => morph(this.element, linked(this.#text)));
  }
}
