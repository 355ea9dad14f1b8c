// @ts-check

/** So long between two keys is a pause, in milliseconds. */
const PAUSE = 2000;
/** Most times between keys that are sent with a message. */
const MOST_TIMES = 5000;
/** Most characters that count as pasted: the server takes no more. */
const MOST_PASTED = 1_000_000;

/**
 * @typedef {import("../protocol.js").Typed} Typed
 * @typedef {import("../protocol.js").AskedOfPage} AskedOfPage
 */

/**
 * Counts how a message is written, if the room asks for it. Which keys are pressed, and what is deleted,
 * is nowhere in it.
 */
export class Telemetry {
  #box;
  /** @type {AskedOfPage | null} */
  #asked = null;
  #listeners = new AbortController();
  /** @type {Typed} what is counted of the message in the box */
  #typed = {};
  /** When a message was last shown, or the box could first be used. */
  #since = 0;
  #firstKey = 0;
  #lastKey = 0;
  #isAway = false;
  /** What was last typed into the box, or put back: what else is sent, nobody has typed. */
  #text = "";
  /** How long the text is without what is selected, before something is pasted. */
  #before = 0;

  /** @param {HTMLTextAreaElement} box */
  constructor(box) {
    this.#box = box;
  }

  /** What is counted so far; null: nothing is to be counted. */
  get typed() {
    if (!this.#asked) return null;
    if (this.#asked === "pasted") return { pasted_chars: this.#typed.pasted_chars ?? 0 };
    const { first_key_ms, typing_ms, rhythm = [] } = this.#typed;
    const { pauses = 0, keystrokes = 0, deletions = 0, pasted_chars = 0, focus_losses = 0 } = this.#typed;
    const counts = { first_key_ms, typing_ms, pauses, keystrokes, deletions, pasted_chars, focus_losses };
    return this.#asked === "rhythm" ? { ...counts, rhythm } : counts;
  }

  /** Count what the room asks for; null: nothing. @param {AskedOfPage | null} asked */
  count(asked) {
    if (asked === this.#asked) return;
    if (!this.#asked) this.#since = performance.now();
    this.#asked = asked;
    this.#listen();
  }

  /** Note that the page has shown a message. */
  note() {
    this.#since = performance.now();
  }

  /**
   * Give what was counted of a message that is sent, and begin anew; null: nobody has typed it.
   *
   * @param {string} text
   */
  take(text) {
    if (text !== this.#text) return null; // a suggestion, or what the app sends: the draft stays
    const typed = this.typed;
    this.empty();
    return typed;
  }

  /** Begin anew: the box is empty. */
  empty() {
    this.#typed = {};
    this.#firstKey = this.#lastKey = 0;
    this.#text = "";
  }

  /** Note that the text in the box was put back there. */
  hold() {
    this.#text = this.#box.value;
  }

  /** Go on with a text that is in the box again. @param {Typed | null | undefined} typed */
  restore(typed) {
    this.hold();
    if (!typed) return;
    const now = this.#typed;
    for (const name of /** @type {const} */ (["pauses", "keystrokes", "deletions", "pasted_chars", "focus_losses"]))
      now[name] = (typed[name] ?? 0) + (now[name] ?? 0);
    now.first_key_ms = typed.first_key_ms ?? now.first_key_ms;
    if (typed.typing_ms !== undefined) now.typing_ms = typed.typing_ms + (now.typing_ms ?? 0);
    if (typed.rhythm) now.rhythm = [...typed.rhythm, ...(now.rhythm ?? [])].slice(0, MOST_TIMES);
  }

  /** Count nothing any more: the box has left the page. */
  close() {
    this.#listeners.abort();
  }

  /** Go on counting: the box is in the page. */
  open() {
    this.#listen();
  }

  #listen() {
    this.#listeners.abort();
    if (!this.#asked) return;
    const { signal } = (this.#listeners = new AbortController());
    const box = this.#box;
    box.addEventListener("beforeinput", () => this.#prepare(), { signal });
    box.addEventListener("input", (event) => this.#input(/** @type {InputEvent} */ (event)), { signal });
    window.addEventListener("blur", () => this.#leave(), { signal });
    window.addEventListener("focus", () => (this.#isAway = false), { signal });
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#leave() : (this.#isAway = false)), { signal });
  }

  #prepare() {
    const { value, selectionStart, selectionEnd } = this.#box;
    this.#before = value.length - (selectionEnd - selectionStart);
  }

  /** @param {InputEvent} event */
  #input(event) {
    if (!event.isTrusted) return; // set by a program, not typed
    this.#text = this.#box.value;
    if (isPaste(event)) this.#paste();
    else this.#key(event);
  }

  #paste() {
    const { value, selectionEnd } = this.#box;
    const pasted = value.slice(selectionEnd - Math.max(0, value.length - this.#before), selectionEnd);
    this.#typed.pasted_chars = Math.min(MOST_PASTED, (this.#typed.pasted_chars ?? 0) + [...pasted].length);
  }

  /** @param {InputEvent} event */
  #key({ inputType, timeStamp }) {
    const typed = this.#typed;
    typed.keystrokes = (typed.keystrokes ?? 0) + 1;
    if (inputType.startsWith("delete")) typed.deletions = (typed.deletions ?? 0) + 1;
    if (!this.#firstKey) {
      this.#firstKey = timeStamp;
      typed.first_key_ms ??= Math.max(0, Math.round(timeStamp - this.#since));
      typed.typing_ms ??= 0;
    } else this.#interval(Math.max(0, Math.round(timeStamp - this.#lastKey)));
    this.#lastKey = timeStamp;
  }

  /** @param {number} time between two keys, in milliseconds */
  #interval(time) {
    const typed = this.#typed;
    typed.typing_ms = (typed.typing_ms ?? 0) + time;
    if (time >= PAUSE) typed.pauses = (typed.pauses ?? 0) + 1;
    if (this.#asked !== "rhythm") return;
    typed.rhythm ??= [];
    if (typed.rhythm.length < MOST_TIMES) typed.rhythm.push(time);
  }

  #leave() {
    if (this.#isAway) return;
    this.#isAway = true;
    this.#typed.focus_losses = (this.#typed.focus_losses ?? 0) + 1;
  }
}

/** Whether text comes into the box that was not typed there. @param {InputEvent} event */
export function isPaste({ inputType }) {
  return inputType === "insertFromPaste" || inputType === "insertFromDrop";
}
