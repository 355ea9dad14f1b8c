// @ts-check
import { make, trusted } from "../dom.js";
import { codeBlock } from "./code.js";
import { drawnWhenOpen } from "./lazy.js";
import { parseOrNull, ToolResult } from "./tool_result.js";

/**
 * @typedef {import("./parts.js").DrawContext} DrawContext
 * @typedef {import("../protocol.js").ToolRequest} ToolRequest
 */

const NO_ARGUMENTS = "{}";

/** A model's call of a tool, and its result. */
export class Tool {
  #context;
  /** @type {ToolRequest | null} */
  #request = null;
  /** @type {import("../protocol.js").ToolResult | null} */
  #result = null;
  /** @type {ToolResult | null} */
  #resultView = null;
  #summary = make("summary");
  #body = make("div", { class: "labchat-tool-body" });
  #details = make("details", { class: "labchat-tool" }, this.#summary, this.#body);
  /** @type {HTMLElement} */
  element = this.#details;

  /** @param {DrawContext} context */
  constructor(context) {
    this.#context = context;
  }

  get ready() {
    return this.#resultView?.ready ?? Promise.resolve();
  }

  get isPending() {
    return !this.#result;
  }

  /** @param {ToolRequest} request */
  begin(request) {
    this.#request = request;
    this.#draw();
  }

  /** @param {import("../protocol.js").ToolResult} result */
  end(result) {
    this.drop();
    this.#result = result;
    const isAlone = result.custom_display === true;
    this.#resultView = new ToolResult(result, isAlone ? this.#context : drawnWhenOpen(this.#details, this.#context));
    if (isAlone) this.#replaceBy(this.#resultView.element);
    else this.#draw();
    if (result.expanded) this.#details.open = true;
  }

  drop() {
    this.#resultView?.drop();
  }

  /** Show the developer's own display of the result instead of the whole call. @param {HTMLElement} element */
  #replaceBy(element) {
    this.element.replaceWith(element);
    this.element = element;
  }

  #draw() {
    this.#details.dataset.status = !this.#result ? "pending" : this.#result.status === "error" ? "error" : "done";
    this.#summary.replaceChildren(...this.#title(), ...this.#asides());
    this.#body.replaceChildren(...this.#callNodes(), ...this.#resultNodes());
  }

  #title() {
    const icon = this.#result?.icon ?? this.#request?.icon;
    const title = this.#result?.title ?? this.#request?.title;
    const mark = make("span", { class: icon ? "labchat-tool-icon" : "labchat-mark", "aria-hidden": "true" });
    if (icon) mark.append(trusted(icon));
    const name = title ?? this.#result?.tool_name ?? this.#request?.tool_name ?? "";
    return [mark, make("span", { class: "labchat-tool-name", dir: "auto" }, name)];
  }

  #asides() {
    const { label, value_preview } = this.#result ?? {};
    const intent = this.#result?.intent ?? this.#request?.intent;
    const asides = [label, intent, value_preview].flatMap((aside) => (aside ? [aside] : []));
    const notes = asides.map((aside) => make("span", { class: "labchat-note", dir: "auto" }, aside));
    return [...notes, make("span", { class: "labchat-tool-state" }, this.#state())];
  }

  #state() {
    if (!this.#result) return this.#context.labels.text("tool_running");
    return this.#result.status === "error" ? this.#context.labels.text("tool_failed") : "";
  }

  #callNodes() {
    const call = indented(this.#request?.arguments ?? this.#result?.request_call ?? NO_ARGUMENTS);
    if (call === NO_ARGUMENTS || this.#result?.show_request === false) return [];
    return [this.#heading("tool_call"), codeBlock(call, this.#context.labels)];
  }

  #resultNodes() {
    return this.#resultView ? [this.#heading("tool_result"), this.#resultView.element] : [];
  }

  /** @param {"tool_call" | "tool_result"} label */
  #heading(label) {
    return make("div", { class: "labchat-note" }, this.#context.labels.text(label));
  }
}

/** Indent JSON, and leave out the intent, which is shown elsewhere. @param {string} json */
function indented(json) {
  const call = parseOrNull(json);
  if (!call || typeof call !== "object") return json;
  delete call._intent;
  return JSON.stringify(call, null, 2);
}
