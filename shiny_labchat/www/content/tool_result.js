// @ts-check
import { make } from "../dom.js";
import { codeBlock } from "./code.js";
import { TEXT_KINDS } from "./parts.js";
import { image } from "./sanitize.js";

/**
 * @typedef {import("./parts.js").DrawContext} DrawContext
 * @typedef {{type: "image", src: string} | {type: "pdf", filename: string} |
 *   {type: "text", value: string, value_type?: string}} Extra
 */

/** The result of a tool's call, drawn by its type. */
export class ToolResult {
  #context;
  /** @type {import("./parts.js").DrawnText[]} */
  #texts = [];
  element = make("div", { class: "labchat-tool-value" });

  /**
   * @param {import("../protocol.js").ToolResult} result
   * @param {DrawContext} context
   */
  constructor({ value = "", value_type, footer }, context) {
    this.#context = context;
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
    const extras = type === "content_extra" ? parseOrNull(value) : null;
    if (Array.isArray(extras)) for (const extra of extras) this.#addExtra(extra);
    else if (type === "html" || type === "markdown" || type === "text") this.#addText(type, value);
    else this.element.append(codeBlock(value, this.#context.labels));
  }

  /** @param {Extra} extra */
  #addExtra(extra) {
    if (extra.type === "image") this.element.append(image(extra.src, "", this.#context.labels.text("image")));
    else if (extra.type === "pdf") this.#addText("text", extra.filename);
    else if (extra.type === "text") this.#draw(extra.value, extra.value_type);
  }

  /**
   * @param {"html" | "markdown" | "text"} kind
   * @param {string} source
   */
  #addText(kind, source) {
    const text = new TEXT_KINDS[kind](this.#context);
    this.#texts.push(text);
    this.element.append(text.element);
    text.add(source);
    text.close();
  }
}

/** @param {string} json */
export function parseOrNull(json) {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
