// @ts-check
import { make } from "../dom.js";
import { rendererOf } from "./renderer.js";

/** An app's own markdown that it trusts: HTML in it is drawn as written, as shinychat does. */
export class TrustedMarkdown {
  #context;
  #source = "";
  element = make("div", { class: "labchat-markdown", "data-trusted": true, dir: "auto" });
  ready = Promise.resolve(); // it is drawn once in the page, so there is nothing to wait for

  /** @param {import("./parts.js").DrawContext} context */
  constructor(context) {
    this.#context = context;
  }

  /** @param {string} more */
  add(more) {
    this.become(this.#source + more);
  }

  /** @param {string} source */
  become(source) {
    if (source === this.#source) return;
    this.#source = source;
    this.#context.inPage.then(() => this.#context.draw(this)).catch(console.error);
  }

  close() {}

  drop() {}

  async draw() {
    this.element.replaceChildren(rendererOf(this.#source));
  }
}
