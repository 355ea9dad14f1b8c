// @ts-check
import { make } from "../dom.js";
import { discard } from "../page/shiny.js";
import { drawSoon } from "./draw_queue.js";
import { isText, isTool, isWeb, TEXT_KINDS } from "./parts.js";
import { Tool } from "./tool.js";
import { Web } from "./web.js";

/**
 * @typedef {import("./parts.js").Part} Part
 * @typedef {import("./parts.js").DrawContext} DrawContext
 * @typedef {import("../protocol.js").More} More
 * @typedef {import("../protocol.js").Piece} Piece
 * @typedef {{part: Part, drawn: import("./parts.js").Drawn, text?: import("./parts.js").DrawnText}} DrawnPart
 *   text: `drawn`, if it can grow
 */

/** The sources of a citation in the text come as a part of their own. */
const CITATION = "web_search_citations";

/** The content of a message, part by part. It may grow. */
export class Content {
  element = make("div", { class: "labchat-content" });
  /** @type {DrawContext} */
  #context;
  /** @type {DrawnPart[]} */
  #parts = [];
  #isGrowing = false;
  #isInPage = false;
  #setInPage = () => {};

  /**
   * @param {Pick<DrawContext, "labels" | "breaks">} context
   * @param {DrawContext["keepStill"]} keepStill
   */
  constructor({ labels, breaks }, keepStill) {
    this.#context = {
      labels,
      breaks,
      deps: [],
      inPage: new Promise((resolve) => (this.#setInPage = () => resolve(undefined))),
      draw: (part) => (this.#isGrowing ? drawSoon(part) : part.draw()),
      keepStill: (change) => (this.#isGrowing || this.#isInPage ? keepStill(change) : change()),
    };
  }

  /** Resolves when everything known so far is drawn. */
  get ready() {
    return Promise.all(this.#parts.map(({ drawn }) => drawn.ready));
  }

  /** The text for screen readers. */
  get words() {
    const said = this.element.querySelectorAll(":scope > :is(.labchat-text, .labchat-markdown, .labchat-html)");
    return [...said].map((part) => /** @type {HTMLElement} */ (part).innerText).join("\n");
  }

  /** Whether there is nothing in it but spaces. */
  get isEmpty() {
    return this.#parts.every(({ part: [, content] }) => typeof content === "string" && !content.trim());
  }

  /** Take note that it is in the page. */
  mount() {
    this.#isInPage = true;
    this.#setInPage();
  }

  /** From now on draw in turns and keep still what is being read. */
  grow() {
    this.#isGrowing = true;
  }

  /**
   * Add more at the end.
   *
   * @param {More} more
   * @param {unknown[]} [deps]
   */
  add(more, deps = []) {
    this.#context.deps.push(...deps);
    for (const piece of pieces(more)) {
      const last = this.#parts.at(-1);
      if (piece[0] === "" && last?.text) {
        last.text.add(piece[1]);
        last.part = /** @type {Part} */ ([last.part[0], last.part[1] + piece[1]]);
      } else this.#addPart(asPart(piece));
    }
  }

  /**
   * Keep the first `keep` units and add more. Parts that stay the same are not drawn again.
   *
   * @param {number} keep
   * @param {More} more
   * @param {unknown[]} [deps]
   */
  become(keep, more, deps) {
    const parts = mergePieces([...takeUnits(keep, this.#parts.map(({ part }) => part)), ...pieces(more)]);
    if (keep === 0) this.#context.deps.length = 0; // `deps` is all of them
    const other = this.#parts.findIndex((drawnPart, at) => !isSame(drawnPart, parts[at]));
    if (other >= 0) this.#removeFrom(other);
    /** @type {Map<import("./parts.js").DrawnText, string>} */
    const texts = new Map();
    this.#parts.forEach(({ text }, at) => text && texts.set(text, (texts.get(text) ?? "") + parts[at][1]));
    texts.forEach((source, text) => text.become(source));
    this.#parts.forEach((drawnPart, at) => (drawnPart.part = parts[at]));
    this.add(parts.slice(this.#parts.length), deps);
  }

  /** Nothing more is added for now. */
  close() {
    this.#parts.at(-1)?.text?.close();
  }

  /** Remove everything. */
  drop() {
    this.#removeFrom(0);
  }

  /** Remove all parts from this one on; if it shares an element with an earlier part, all go. @param {number} at */
  #removeFrom(at) {
    const kept = new Set(this.#parts.slice(0, at).map(({ drawn }) => drawn));
    const isShared = this.#parts.slice(at).some(({ drawn }) => kept.has(drawn));
    for (const { drawn } of this.#parts.splice(isShared ? 0 : at)) {
      drawn.drop();
      discard(drawn.element);
    }
  }

  /** @param {Part} part */
  #addPart(part) {
    this.close();
    if (isText(part)) this.#addText(part);
    else if (isTool(part)) this.#parts.push({ part, drawn: this.#addTool(part) });
    else if (isWeb(part)) this.#parts.push({ part, drawn: this.#addWeb(part) });
  }

  /** @param {import("./parts.js").TextPart} part */
  #addText(part) {
    const text = this.#textBeforeCitation(part) ?? this.#insert(new TEXT_KINDS[part[0]](this.#context));
    this.#parts.push({ part, drawn: text, text });
    text.add(part[1]);
  }

  /** The text before a citation, which this part continues; null: it continues none. @param {Part} part */
  #textBeforeCitation([kind]) {
    if (kind !== "markdown" || this.#parts.at(-1)?.part[0] !== CITATION) return null;
    const before = this.#parts.findLast(({ part }) => part[0] !== CITATION);
    return before?.part[0] === kind ? before.text : null;
  }

  /**
   * Show a tool's request, or add a result to the request with the same id.
   *
   * Some providers use one id for several calls; the result then goes to the first without one.
   *
   * @param {import("./parts.js").ToolPart} part
   */
  #addTool([kind, call]) {
    if (kind === "tool_request") {
      const tool = this.#insert(new Tool(this.#context));
      tool.begin(call);
      return tool;
    }
    const asked = this.#parts.filter(({ part }) => isTool(part) && part[1].request_id === call.request_id);
    const tools = asked.map(({ drawn }) => /** @type {Tool} */ (drawn));
    const tool = tools.find((each) => each.isPending) ?? tools.at(-1) ?? this.#insert(new Tool(this.#context));
    tool.end(call);
    return tool;
  }

  /**
   * Show what was looked up: consecutive searches share a list, and a citation joins the newest list.
   *
   * @param {import("./parts.js").WebPart} part
   */
  #addWeb(part) {
    const isCitation = part[0] === CITATION;
    const last = isCitation ? this.#parts.findLast(({ part }) => isWeb(part)) : this.#parts.at(-1);
    const goesOn = last && isWeb(last.part) && (isCitation || last.part[0] !== CITATION);
    const web = goesOn ? /** @type {Web} */ (last.drawn) : this.#insert(new Web(this.#context));
    web.add(part);
    return web;
  }

  /**
   * @template {import("./parts.js").Drawn} T
   * @param {T} drawn
   */
  #insert(drawn) {
    this.element.append(drawn.element);
    return drawn;
  }
}

/**
 * @param {More} more
 * @returns {Piece[]}
 */
function pieces(more) {
  return typeof more === "string" ? [["", more]] : more;
}

/**
 * Turn a piece into a part; one with no part before it begins a markdown text.
 *
 * @param {Piece} piece
 * @returns {Part}
 */
function asPart(piece) {
  return piece[0] === "" ? ["markdown", piece[1]] : piece;
}

/**
 * Join pieces to parts.
 *
 * @param {More} more
 */
function mergePieces(more) {
  /** @type {Part[]} */
  const parts = [];
  for (const piece of pieces(more)) {
    const last = parts.at(-1);
    if (piece[0] === "" && last && isText(last)) parts.splice(-1, 1, [last[0], last[1] + piece[1]]);
    else parts.push(asPart(piece));
  }
  return parts;
}

/**
 * The first units of some parts: a text has as many as its length, any other part has one.
 *
 * @param {number} units
 * @param {Part[]} parts
 */
function takeUnits(units, parts) {
  /** @type {Part[]} */
  const kept = [];
  for (const part of parts) {
    if (units <= 0) break;
    kept.push(isText(part) ? [part[0], part[1].slice(0, units)] : part);
    units -= isText(part) ? part[1].length : 1;
  }
  return kept;
}

/**
 * Whether a drawn part can stay for this part.
 *
 * @param {DrawnPart} drawnPart
 * @param {Part | undefined} part
 */
function isSame({ part: [kind, source], text }, part) {
  return part?.[0] === kind && (text !== undefined || JSON.stringify(source) === JSON.stringify(part[1]));
}
