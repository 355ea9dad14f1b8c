// @ts-check
import { make, trusted } from "../dom.js";
import { codeBlock } from "./code.js";
import { whenUnfolded } from "./lazy.js";
import { parsed, Value } from "./tool_result.js";

/**
 * @typedef {import("./parts.js").Scene} Scene
 * @typedef {import("../protocol.js").ToolRequest} ToolRequest
 * @typedef {import("../protocol.js").ToolResult} ToolResult
 */

const NOTHING = "{}";

/** What a model asked a tool for, and what came of it. */
export class Tool {
  #scene;
  /** @type {ToolRequest | null} */
  #request = null;
  /** @type {ToolResult | null} */
  #result = null;
  /** @type {Value | null} */
  #value = null;
  #summary = make("summary");
  #body = make("div", { class: "labchat-tool-body" });
  #details = make("details", { class: "labchat-tool" }, this.#summary, this.#body);
  /** @type {HTMLElement} */
  element = this.#details;

  /** @param {Scene} scene */
  constructor(scene) {
    this.#scene = scene;
  }

  get ready() {
    return this.#value?.ready ?? Promise.resolve();
  }

  get isPending() {
    return !this.#result;
  }

  /** @param {ToolRequest} request */
  begin(request) {
    this.#request = request;
    this.#draw();
  }

  /** @param {ToolResult} result */
  end(result) {
    this.drop();
    this.#result = result;
    const isAlone = result.custom_display === true;
    this.#value = new Value(result, isAlone ? this.#scene : whenUnfolded(this.#details, this.#scene));
    if (isAlone) this.#showAlone(this.#value.element);
    else this.#draw();
    if (result.expanded) this.#details.open = true;
  }

  drop() {
    this.#value?.drop();
  }

  /** What the developer draws of a result stands for the whole call. @param {HTMLElement} element */
  #showAlone(element) {
    this.element.replaceWith(element);
    this.element = element;
  }

  #draw() {
    this.#details.dataset.status = !this.#result ? "pending" : this.#result.status === "error" ? "error" : "done";
    this.#summary.replaceChildren(...this.#title(), ...this.#asides());
    this.#body.replaceChildren(...this.#callDrawn(), ...this.#valueDrawn());
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
    if (!this.#result) return this.#scene.labels.text("tool_running");
    return this.#result.status === "error" ? this.#scene.labels.text("tool_failed") : "";
  }

  #callDrawn() {
    const call = laidOut(this.#request?.arguments ?? this.#result?.request_call ?? NOTHING);
    if (call === NOTHING || this.#result?.show_request === false) return [];
    return [this.#heading("tool_call"), codeBlock(call, this.#scene.labels)];
  }

  #valueDrawn() {
    return this.#value ? [this.#heading("tool_result"), this.#value.element] : [];
  }

  /** @param {"tool_call" | "tool_result"} label */
  #heading(label) {
    return make("div", { class: "labchat-note" }, this.#scene.labels.text(label));
  }
}

/** JSON with its lines broken, but for the intent, which is shown anyway. @param {string} json */
function laidOut(json) {
  const call = parsed(json);
  if (!call || typeof call !== "object") return json;
  delete call._intent;
  return JSON.stringify(call, null, 2);
}
