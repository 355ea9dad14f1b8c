// @ts-check
import { make } from "./element.js";

/**
 * How far layout alone has scrolled something up that was at its bottom.
 *
 * What is higher for a moment, such as while Shiny measures the box below it, is scrolled up for
 * that moment, and stays so. The gauge stands beside it, just as high, and at its own bottom; as
 * nobody can scroll the gauge, it goes up only by what layout did.
 */
export class Gauge {
  #top = 0;
  element = make("div", { class: "labchat-gauge", "aria-hidden": "true" }, make("div"));

  /** In pixels, since it was set. */
  get risen() {
    return Math.max(0, this.#top - this.element.scrollTop);
  }

  /** From now on. */
  set() {
    this.element.scrollTop = this.element.scrollHeight;
    this.#top = this.element.scrollTop;
  }
}
