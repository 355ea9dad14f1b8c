// @ts-check
import { make, mark } from "../dom.js";

/** Where the time goes in the words around it. */
const SLOT = "{time}";

/** The time that people have: until it starts, or until it is over. The server says how much is left. */
export class Clock {
  #words = "";
  /** When it is at zero, by this browser's clock; while it stands still, how much is left. In milliseconds. */
  #zero = 0;
  #timer = 0;
  /** What was said last; null: nothing was shown. @type {string | null} */
  #said = null;
  #time = make("span", { class: "labchat-time" });
  #note = make("span", { class: "labchat-clock-note" });
  #voice = make("span", { class: "visually-hidden", "aria-live": "polite" });
  element = make("div", { class: "labchat-clock", hidden: true });

  constructor() {
    mark(this.#time, "role", "timer");
    this.element.append(this.#time, this.#note, this.#voice);
  }

  /** Show the clock; none: the room has none. @param {import("../protocol.js").RoomClock} [clock] */
  show(clock) {
    clearTimeout(this.#timer);
    this.element.hidden = !clock;
    if (!clock) {
      this.#said = null;
      return;
    }
    const { is, left, text, say = "" } = clock;
    this.#words = text;
    mark(this.element, "data-clock", is);
    mark(this.element, "data-soon", is === "running" && say !== "");
    this.#note.replaceChildren(is === "paused" ? say : "");
    this.#announce(say);
    if (is === "paused") return this.#draw(left);
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
  }

  /** @param {number} left in milliseconds */
  #draw(left) {
    this.#time.replaceChildren(this.#words.replace(SLOT, inDigits(left)));
  }
}

/** A time as 4:59 or 1:04:59, rounded up. @param {number} milliseconds */
function inDigits(milliseconds) {
  const all = Math.ceil(milliseconds / 1000);
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const rest = `${pad(seconds)}`;
  return hours ? `${hours}:${pad(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** @param {number} number */
function pad(number) {
  return String(number).padStart(2, "0");
}
