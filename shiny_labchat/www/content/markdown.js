// @ts-check
import { make } from "../dom.js";
import { copyButton } from "./code.js";
import { merge, rewrite } from "./morph.js";
import { rendered } from "./render.js";
import { offer } from "./suggestions.js";

/** Longer texts are shown as they are: to render them would keep the page from doing anything else. */
const LONGEST = 100_000;

/** What a model wrote: markdown, shown as it is until it is rendered. */
export class Prose {
  #scene;
  #raw = new Text("");
  #source = "";
  #isDropped = false;
  #isHopeless = false;
  element = make("div", { class: "labchat-text", dir: "auto", hidden: true }, this.#raw);
  ready = Promise.resolve();

  /** @param {import("./parts.js").Scene} scene */
  constructor(scene) {
    this.#scene = scene;
  }

  /** @param {string} more */
  add(more) {
    this.#source += more;
    if (this.element.hidden) this.element.hidden = !more.trim();
    if (this.#isRaw) this.#raw.appendData(more);
    this.ready = this.#scene.draw(this);
  }

  /** @param {string} source */
  become(source) {
    if (source === this.#source) return;
    this.#source = source;
    this.#isHopeless = false;
    this.element.hidden = !source.trim();
    if (this.#isRaw) rewrite(this.#raw, source);
    this.ready = this.#scene.draw(this);
  }

  close() {}

  drop() {
    this.#isDropped = true;
  }

  async draw() {
    if (this.element.hidden || this.#isDropped || this.#isHopeless) return;
    const isShort = this.#source.length <= LONGEST;
    const nodes = isShort ? await rendered(this.#source, this.#scene.labels.text("image")) : null;
    if (!this.#isDropped) this.#scene.still(() => (nodes ? this.#show(nodes) : this.#showRaw()));
  }

  get #isRaw() {
    return this.#raw.parentNode !== null;
  }

  /** @param {DocumentFragment} nodes */
  #show(nodes) {
    for (const pre of nodes.querySelectorAll("pre")) pre.append(copyButton(this.#scene.labels));
    offer(nodes);
    this.#raw.remove();
    this.element.className = "labchat-markdown";
    merge(this.element, nodes);
  }

  /** It cannot be rendered; all others would wait for further trials. */
  #showRaw() {
    this.#isHopeless = true;
    this.#raw.data = this.#source;
    this.element.className = "labchat-text";
    this.element.replaceChildren(this.#raw);
  }
}
