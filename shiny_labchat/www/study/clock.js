// @ts-check
import { make } from "../dom.js";

/**
 * @typedef {Record<string, string>} TimeWords
 * @typedef {{until: number, text: string}} Deadline until: by the clock that nobody sets, in milliseconds
 */

const SECOND = 1000;

/** The time that is left, in words. What it shows decides nothing: the server has the clock. */
export class Clock {
  #words;
  #timer = 0;
  /** @type {Deadline | null} */
  #deadline = null;
  element = make("p", { class: "labchat-study-clock", role: "timer", hidden: true });

  /** @param {() => TimeWords} words */
  constructor(words) {
    this.#words = words;
  }

  /** Count down to this; null: show nothing. @param {Deadline | null} deadline */
  show(deadline) {
    this.#deadline = deadline;
    this.element.hidden = !deadline;
    this.#tick();
  }

  /** Do not tick any more. */
  stop() {
    clearTimeout(this.#timer);
  }

  #tick() {
    this.stop();
    if (!this.#deadline) return;
    const left = Math.max(0, this.#deadline.until - performance.now());
    const seconds = Math.ceil(left / SECOND);
    const text = this.#deadline.text.replace("{time}", () => timeIn(this.#words(), seconds));
    if (this.element.textContent !== text) this.element.replaceChildren(text);
    // when the next whole second has passed, so that it ticks once in each
    if (seconds > 0) this.#timer = window.setTimeout(() => this.#tick(), left - (seconds - 1) * SECOND + 1);
  }
}

/**
 * A time in words, as the server says it: in seconds below two minutes, else in minutes.
 *
 * @param {TimeWords} words
 * @param {number} seconds whole ones
 */
export function timeIn(words, seconds) {
  if (seconds % 60 && seconds < 120) return counted(words, "time.seconds", seconds);
  return counted(words, "time.minutes", Math.ceil(seconds / 60));
}

/** @param {TimeWords} words @param {string} key @param {number} n */
function counted(words, key, n) {
  const template = words[`${key}_${n === 1 ? "one" : "many"}`] ?? "{n}";
  return template.replace("{n}", String(n));
}
