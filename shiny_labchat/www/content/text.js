// @ts-check
import { make } from "../dom.js";
import { rewrite } from "./morph.js";

/** Plain text. */
export class PlainText {
  #text = new Text("");
  element = make("div", { class: "labchat-text", dir: "auto" }, this.#text);
  ready = Promise.resolve();

  /** @param {string} more */
  add(more) {
    this.#text.appendData(more);
  }

  /** @param {string} text */
  become(text) {
    rewrite(this.#text, text);
  }

  close() {}

  drop() {}
}
