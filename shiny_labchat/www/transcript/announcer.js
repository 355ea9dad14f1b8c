// @ts-check
import { make } from "../dom.js";

/** Long enough for a screen reader to take it up, in milliseconds. */
const SAID_WITHIN = 5000;

/** Says to screen readers, once, what has grown in the page silently. */
export class Voice {
  element = make("div", { class: "labchat-voice visually-hidden", "aria-live": "polite" });

  /** @param {string} words */
  say(words) {
    const said = make("div", {}, words);
    this.element.append(said);
    setTimeout(() => said.remove(), SAID_WITHIN); // who walks through the page must not meet it twice
  }
}
