// @ts-check
import { make } from "../dom.js";
import { drawnWhenOpen } from "./lazy.js";
import { Markdown } from "./markdown.js";

/** A model's thinking before its answer. */
export class Thinking {
  #labels;
  #markdown;
  #summary = make("summary");
  element = make("details", { class: "labchat-thinking", "data-status": "pending" }, this.#summary);

  /** @param {import("./parts.js").DrawContext} context */
  constructor(context) {
    this.#labels = context.labels;
    this.#markdown = new Markdown(drawnWhenOpen(this.element, context));
    this.#summary.textContent = this.#labels.text("thinking");
    this.element.append(this.#markdown.element);
  }

  get ready() {
    return this.#markdown.ready;
  }

  /** @param {string} more */
  add(more) {
    this.#markdown.add(more);
  }

  /** @param {string} thoughts */
  become(thoughts) {
    this.#markdown.become(thoughts);
  }

  close() {
    this.element.dataset.status = "done";
    this.#summary.textContent = this.#labels.text("thoughts");
  }

  drop() {
    this.#markdown.drop();
  }
}
