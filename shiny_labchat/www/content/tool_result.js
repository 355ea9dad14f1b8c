// @ts-check
import { make } from "../dom.js";
import { codeBlock } from "./code.js";
import { TEXTS } from "./parts.js";
import { image } from "./sanitize.js";

/**
 * @typedef {import("./parts.js").Scene} Scene
 * @typedef {{type: "image", src: string} | {type: "pdf", filename: string} |
 *   {type: "text", value: string, value_type?: string}} Extra
 */

/** What came of a tool's call, drawn as its type says. */
export class Value {
  #scene;
  /** @type {import("./parts.js").DrawnText[]} */
  #texts = [];
  element = make("div", { class: "labchat-tool-value" });

  /**
   * @param {import("../protocol.js").ToolResult} result
   * @param {Scene} scene
   */
  constructor({ value = "", value_type, footer }, scene) {
    this.#scene = scene;
    this.#draw(value, value_type);
    if (footer) this.#addText("html", footer);
  }

  get ready() {
    return Promise.all(this.#texts.map(({ ready }) => ready)).then(() => {});
  }

  drop() {
    for (const text of this.#texts) text.drop();
  }

  /**
   * @param {string} value
   * @param {string} [type]
   */
  #draw(value, type) {
    const extras = type === "content_extra" ? parsed(value) : null;
    if (Array.isArray(extras)) for (const extra of extras) this.#addExtra(extra);
    else if (type === "html" || type === "markdown" || type === "text") this.#addText(type, value);
    else this.element.append(codeBlock(value, this.#scene.labels));
  }

  /** @param {Extra} extra */
  #addExtra(extra) {
    if (extra.type === "image") this.element.append(image(extra.src, this.#scene.labels.text("image")));
    else if (extra.type === "pdf") this.#addText("text", extra.filename);
    else if (extra.type === "text") this.#draw(extra.value, extra.value_type);
  }

  /**
   * @param {"html" | "markdown" | "text"} kind
   * @param {string} source
   */
  #addText(kind, source) {
    const text = new TEXTS[kind](this.#scene);
    this.#texts.push(text);
    this.element.append(text.element);
    text.add(source);
    text.close();
  }
}

/** @param {string} json */
export function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
