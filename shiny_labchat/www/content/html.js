// @ts-check
import { make } from "../dom.js";
import { drawTrusted } from "../page/shiny.js";
import { offer } from "./suggestions.js";

/** What grows is drawn again at most so often, in milliseconds: it is drawn as a whole. */
const AGAIN_AFTER = 200;

/** A developer's HTML, with Shiny's inputs and outputs in it. */
export class Html {
  #scene;
  #html = "";
  #drawn = "";
  #due = 0;
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
    this.#due ||= window.setTimeout(() => this.close(), AGAIN_AFTER);
  }

  close() {
    this.drop();
    if (this.#drawn !== this.#html) this.#scene.inPage.then(() => this.#scene.draw(this)).catch(console.error);
  }

  drop() {
    clearTimeout(this.#due);
    this.#due = 0;
  }

  async draw() {
    const html = this.#html;
    if (this.#drawn === html) return;
    this.#drawn = html;
    await drawTrusted(this.element, html, this.#scene.deps);
    offer(this.element);
  }
}
