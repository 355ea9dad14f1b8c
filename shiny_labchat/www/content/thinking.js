// @ts-check
import { make } from "../dom.js";
import { whenUnfolded } from "./lazy.js";
import { Prose } from "./markdown.js";

/** What a model thinks before it speaks. */
export class Thinking {
  #labels;
  #prose;
  #summary = make("summary");
  element = make("details", { class: "labchat-thinking", "data-status": "pending" }, this.#summary);

  /** @param {import("./parts.js").Scene} scene */
  constructor(scene) {
    this.#labels = scene.labels;
    this.#prose = new Prose(whenUnfolded(this.element, scene));
    this.#summary.textContent = this.#labels.text("thinking");
    this.element.append(this.#prose.element);
  }

  get ready() {
    return this.#prose.ready;
  }

  /** @param {string} more */
  add(more) {
    this.#prose.add(more);
  }

  /** @param {string} thoughts */
  become(thoughts) {
    this.#prose.become(thoughts);
  }

  close() {
    this.element.dataset.status = "done";
    this.#summary.textContent = this.#labels.text("thoughts");
  }

  drop() {
    this.#prose.drop();
  }
}
