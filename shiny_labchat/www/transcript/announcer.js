// @ts-check
import { make } from "../dom.js";

/** Long enough for a screen reader to take it up, in milliseconds. */
const REMOVED_AFTER = 5000;

/** Says to screen readers, once, what has grown in the page silently. */
export class Announcer {
  element = make("div", { class: "labchat-voice visually-hidden", "aria-live": "polite" });

  /** @param {string} words */
  announce(words) {
    const line = make("div", {}, words);
    this.element.append(line);
    setTimeout(() => line.remove(), REMOVED_AFTER); // who walks through the page must not meet it twice
  }
}
