// @ts-check
import { make } from "../dom.js";
import { drawTrusted } from "../page/shiny.js";
import { makeFocusable } from "./suggestions.js";

/** The shortest time between two drawings, in milliseconds: growing HTML is drawn as a whole. */
const REDRAW_INTERVAL = 200;

/** A developer's HTML, with its Shiny inputs and outputs. */
export class Html {
  #context;
  #html = "";
  #drawn = "";
  #timer = 0;
  element = make("div", { class: "labchat-html", dir: "auto" });
  ready = Promise.resolve(); // it is drawn once in the page, so there is nothing to wait for

  /** @param {import("./parts.js").DrawContext} context */
  constructor(context) {
    this.#context = context;
  }

  /** @param {string} more */
  add(more) {
    this.become(this.#html + more);
  }

  /** @param {string} html */
  become(html) {
    this.#html = html;
    this.#timer ||= window.setTimeout(() => this.close(), REDRAW_INTERVAL);
  }

  close() {
    this.drop();
    if (this.#drawn !== this.#html) this.#context.inPage.then(() => this.#context.draw(this)).catch(console.error);
  }

  drop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  async draw() {
    const html = this.#html;
    if (this.#drawn === html) return;
    this.#drawn = html;
    await drawTrusted(this.element, html, this.#context.deps);
    makeFocusable(this.element);
  }
}
