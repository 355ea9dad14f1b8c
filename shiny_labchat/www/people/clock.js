// @ts-check
import { make, mark } from "../dom.js";
import { inDigits } from "../page/digits.js";

/** Where the time and a name go in the words around them. */
const SLOT = /(\{time\}|\{name\})/;
/** From so many hours on, days are shown. */
const HOURS = 48;

/** @typedef {{is: string, left?: number, text: string, say?: string, name?: string}} Shown */

/** The time that people have: until it starts, or until it is over. The server says how much is left. */
export class Clock {
  #words = "";
  #name = "";
  #language;
  #is = "";
  /** What is shown once a time "again" is over. @type {Shown | undefined} */
  #next;
  /** When it is at zero, by this browser's clock; while it stands still, how much is left. In milliseconds. */
  #zero = 0;
  #timer = 0;
  /** What was said last; null: nothing was shown. @type {string | null} */
  #said = null;
  #time = make("span", { class: "labchat-time" });
  #note = make("span", { class: "labchat-clock-note" });
  #voice = make("span", { class: "visually-hidden", "aria-live": "polite" });
  element;

  /**
   * @param {string} of the element's class
   * @param {string} [language] in which days are written; none: the browser's
   */
  constructor(of = "labchat-clock", language) {
    this.#language = language;
    this.element = make("div", { class: of, hidden: true });
    if (of === "labchat-clock") mark(this.#time, "role", "timer");
    this.element.append(this.#time, this.#note, this.#voice);
  }

  /**
   * Show the clock; none: the room has none.
   *
   * @param {Shown} [clock]
   * @param {Shown} [next] shown once it is over, if it "is" the time until something may be done again
   */
  show(clock, next) {
    clearTimeout(this.#timer);
    this.#next = next;
    this.element.hidden = !clock;
    if (!clock) {
      this.#said = null;
      return;
    }
    const { is, left, text, say = "", name = "" } = clock;
    this.#words = text;
    this.#name = name;
    this.#is = is;
    mark(this.element, "data-clock", is);
    mark(this.element, "data-soon", is === "running" && say !== "");
    this.#note.replaceChildren(is === "paused" ? say : "");
    this.#announce(say);
    if (is === "paused" || left === undefined) return this.#draw(left ?? 0);
    this.#zero = Date.now() + left;
    this.#tick();
  }

  /** Stop, as the element has left the page; `show` goes on. */
  close() {
    clearTimeout(this.#timer);
  }

  /** Have a screen reader say what is new, but not what was so when the page came. @param {string} say */
  #announce(say) {
    if (this.#said !== null && say !== this.#said) this.#voice.replaceChildren(say);
    this.#said = say;
  }

  #tick() {
    const left = Math.max(0, this.#zero - Date.now());
    this.#draw(left);
    if (left > 0) this.#timer = window.setTimeout(() => this.#tick(), left % 1000 || 1000);
    else if (this.#is === "again") this.show(this.#next);
  }

  /** @param {number} left in milliseconds */
  #draw(left) {
    const pieces = this.#words.split(SLOT).map((piece) => {
      if (piece === "{name}") return make("bdi", {}, this.#name);
      return piece === "{time}" ? this.#written(left) : piece;
    });
    this.#time.replaceChildren(...pieces);
  }

  /** A time in digits, or in days. @param {number} milliseconds */
  #written(milliseconds) {
    const hours = milliseconds / 3_600_000;
    if (hours < HOURS) return inDigits(milliseconds);
    const options = /** @type {Intl.NumberFormatOptions} */ ({ style: "unit", unit: "day", unitDisplay: "long" });
    return new Intl.NumberFormat(this.#language, options).format(Math.ceil(hours / 24));
  }
}
