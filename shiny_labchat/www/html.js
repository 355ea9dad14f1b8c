// @ts-check
import { make } from "./element.js";
import { drawTrusted } from "./shiny.js";
import { offer } from "./suggestions.js";

/** What is not continued for so long is taken to be whole, in milliseconds. */
const WHOLE_AFTER = 200;

/** A developer's HTML, with Shiny's inputs and outputs in it. */
export class Html {
  #scene;
  #html = "";
  #drawn = "";
  #quiet = 0;
  #drawing = Promise.resolve();
  element = make("div", { class: "labchat-html", dir: "auto" });
  ready = Promise.resolve(); // it is drawn where it stands, so nothing is to be waited for

  /** @param {import("./parts.js").Scene} scene */
  constructor(scene) {
    this.#scene = scene;
  }

  /** @param {string} more */
  add(more) {
    this.become(this.#html + more);
  }

  /** @param {string} html */
  become(html) {
    this.#html = html;
    clearTimeout(this.#quiet);
    this.#quiet = window.setTimeout(() => this.close(), WHOLE_AFTER);
  }

  close() {
    clearTimeout(this.#quiet);
    if (this.#drawn === this.#html) return;
    const html = (this.#drawn = this.#html);
    this.#drawing = this.#drawing.then(() => this.#draw(html)).catch(console.error);
  }

  drop() {
    clearTimeout(this.#quiet);
  }

  /** @param {string} html */
  async #draw(html) {
    await this.#scene.inPage;
    await drawTrusted(this.element, html, this.#scene.deps);
    offer(this.element);
  }
}
