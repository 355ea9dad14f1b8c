// @ts-check
import { make } from "../dom.js";
import { hasDrawn, hasRenderer, loadRenderer, rendererOf } from "./renderer.js";
import { replaceSilently } from "./silence.js";

/** An app's own markdown that it trusts: HTML in it is drawn as written, as shinychat does. */
export class TrustedMarkdown {
  #context;
  #source = "";
  #isWaiting = false;
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
    if (await hasRenderer()) this.element.replaceChildren(rendererOf(this.#source));
    else this.#showRaw();
  }

  /** Show it as it is written until the renderer is there. */
  #showRaw() {
    this.#context.keepStill(() => this.element.replaceChildren(make("div", { class: "labchat-text" }, this.#source)));
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    void loadRenderer().then(() => this.#replaceRaw());
  }

  /** The text stays until it is rendered, so that nothing moves twice. */
  async #replaceRaw() {
    const raw = [...this.element.childNodes];
    const isDrawn = hasDrawn(rendererOf(this.#source), this.element);
    if (!(await isDrawn)) return;
    this.#context.keepStill(() => replaceSilently(this.element, () => raw.forEach((node) => node.remove())));
  }
}
