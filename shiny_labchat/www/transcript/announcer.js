// @ts-check
import { make } from "../dom.js";

/** Long enough for a screen reader to read it, in milliseconds. */
const REMOVED_AFTER = 5000;

/** Announces a finished answer to screen readers, once; it grew silently. */
export class Announcer {
  element = make("div", { class: "labchat-voice visually-hidden", "aria-live": "polite" });

  /** @param {string} words */
  announce(words) {
    const line = make("div", {}, words);
    this.element.append(line);
    setTimeout(() => line.remove(), REMOVED_AFTER); // else a screen reader finds the text twice in the page
  }

  /** Take back what is being announced. */
  clear() {
    this.element.replaceChildren();
  }
}
