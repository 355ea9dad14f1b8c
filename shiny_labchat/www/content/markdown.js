// @ts-check
import { make } from "../dom.js";
import { copyButton } from "./code.js";
import { drawSoon } from "./draw_queue.js";
import { morph, rewrite } from "./morph.js";
import { render } from "./render.js";
import { hasRenderer, loadRenderer } from "./renderer.js";
import { replaceSilently } from "./silence.js";
import { makeFocusable } from "./suggestions.js";

/** How many texts this page has had. */
let count = 0;

/** Markdown, as models write it; shown as plain text until it is rendered. */
export class Markdown {
  #context;
  #raw = new Text("");
  #source = "";
  #isDropped = false;
  #isUnrenderable = false;
  #isWaiting = false;
  #idPrefix = `labchat-place-${++count}`;
  /** What was noted in the browser's console, once each. @type {Set<string>} */
  #noted = new Set();
  element = make("div", { class: "labchat-text", dir: "auto", hidden: true }, this.#raw);
  ready = Promise.resolve();

  /** @param {import("./parts.js").DrawContext} context */
  constructor(context) {
    this.#context = context;
  }

  /** @param {string} more */
  add(more) {
    this.#source += more;
    if (this.element.hidden) this.element.hidden = !more.trim();
    if (this.#isRaw) this.#raw.appendData(more);
    this.ready = this.#context.draw(this);
  }

  /** @param {string} source */
  become(source) {
    if (source === this.#source) return;
    this.#source = source;
    this.#isUnrenderable = false;
    this.element.hidden = !source.trim();
    if (this.#isRaw) rewrite(this.#raw, source);
    this.ready = this.#context.draw(this);
  }

  close() {}

  drop() {
    this.#isDropped = true;
  }

  async draw() {
    if (this.element.hidden || this.#isDropped || this.#isUnrenderable) return;
    if (!(await hasRenderer())) return this.#drawLater();
    const { labels, breaks } = this.#context;
    const note = (/** @type {string} */ words) => this.#note(words);
    const nodes = await render(this.#source, { labels, breaks, idPrefix: this.#idPrefix, note });
    if (!this.#isDropped) this.#context.keepStill(() => (nodes ? this.#show(nodes) : this.#showRaw()));
  }

  /** Stay plain text until the renderer is there. */
  #drawLater() {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    void loadRenderer().then(() => {
      this.#isWaiting = false;
      return drawSoon(this); // in turns: there may be many
    });
  }

  /** @param {string} words */
  #note(words) {
    if (!this.#noted.has(words)) console.warn(`shiny_labchat: in a message's markdown ${words}.`);
    this.#noted.add(words);
  }

  get #isRaw() {
    return this.#raw.parentNode !== null;
  }

  /** @param {DocumentFragment} nodes */
  #show(nodes) {
    for (const pre of nodes.querySelectorAll("pre")) pre.append(copyButton(this.#context.labels));
    makeFocusable(nodes);
    if (this.#isRaw) return replaceSilently(this.element, () => this.#replaceRaw(nodes));
    morph(this.element, nodes);
  }

  /** @param {DocumentFragment} nodes */
  #replaceRaw(nodes) {
    this.element.className = "labchat-markdown";
    this.element.replaceChildren(nodes);
  }

  /** Show plain text for good: further attempts would fail too, and delay other parts. */
  #showRaw() {
    this.#isUnrenderable = true;
    this.#raw.data = this.#source;
    this.element.className = "labchat-text";
    this.element.replaceChildren(this.#raw);
  }
}
