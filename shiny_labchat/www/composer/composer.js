// @ts-check
import { make, mark } from "../dom.js";
import { query } from "../page/shiny.js";
import { TYPING_INTERVAL } from "../protocol.js";
import { isPaste, Telemetry } from "./telemetry.js";

/** The counter appears when less than this share of the limit is left. */
const COUNTER_SHARE = 0.1;

/** A paste longer than the limit times this is refused: no browser lays that out in time. */
const MAX_PASTE_FACTOR = 20;

/** Shiny's element around the textarea and the button. */
const BOX = ".bslib-submit-textarea-container";

const INPUT_EVENT = "shiny:inputchanged.labchat";

/**
 * The box: Shiny's own submit-textarea. Its text goes to the room, not into a Shiny input.
 *
 * Shiny empties the box before it hands over the text. Whoever takes a text must therefore keep it,
 * or put it back with `restore`.
 */
export class Composer {
  #labels;
  #host;
  #on;
  #max = 0;
  /** Why nothing may be pasted; "": it may. */
  #noPaste = "";
  /** @type {string | null} why nobody may write now; null: they may */
  #lockReason = null;
  /** @type {import("../protocol.js").Hold | undefined} why a message cannot be sent yet */
  #hold;
  /** When it can, by this browser's clock, in milliseconds. */
  #heldUntil = Infinity;
  #placeholder = "";
  #typedAt = 0;
  #restored = "";
  #listeners = new AbortController();
  #textarea;
  telemetry;
  alert = make("div", { class: "labchat-alert", role: "alert" });
  counter = make("div", { class: "labchat-counter", hidden: true });

  /**
   * @param {HTMLElement} host holds the textarea
   * @param {string} id of the chat
   * @param {import("../labels.js").Labels} labels
   * @param {{send: (text: string, typed: import("../protocol.js").Typed | null) => void, type: () => void, change: () => void}} on
   *   change: the text in the box has changed
   */
  constructor(host, id, labels, on) {
    this.#host = host;
    this.#labels = labels;
    this.#on = on;
    this.#textarea = host.querySelector("textarea") ?? make("textarea");
    this.telemetry = new Telemetry(this.#textarea);
    this.alert.id = `${id}_alert`;
    this.counter.id = `${id}_counter`;
    this.#describe(id);
    host.append(this.alert, this.counter);
  }

  listen() {
    const { signal } = (this.#listeners = new AbortController());
    this.#host.addEventListener("keydown", hideEnterFromShiny, { capture: true, signal });
    this.#host.addEventListener("mousedown", (event) => this.#keepFocus(event), { signal });
    this.#textarea.addEventListener("beforeinput", (event) => this.#refusePaste(event), { signal });
    this.telemetry.open();
    this.#textarea.addEventListener("input", (event) => this.#input(event), { signal });
    query(this.#host).on(INPUT_EVENT, (event) => {
      event.preventDefault();
      if (event.priority === "event") this.send(String(event.value ?? ""));
    });
  }

  unlisten() {
    this.#listeners.abort();
    this.telemetry.close();
    query(this.#host).off(INPUT_EVENT);
  }

  /** Set the length limit, in characters. @param {number} max */
  allow(max) {
    this.#max = max;
    this.#count();
  }

  /** Let nothing be pasted, and say why; "": let it. @param {string} reason */
  forbidPaste(reason) {
    this.#noPaste = reason;
  }

  /**
   * Lock the box, for this reason; null: unlock it.
   *
   * @param {string | null} reason
   * @param {string} [words] shown in the box
   */
  lock(reason, words = this.#labels.text("locked")) {
    const box = this.#textarea;
    if (this.#lockReason === null) this.#placeholder = box.placeholder; // the app may have set it
    this.#lockReason = reason;
    box.readOnly = reason !== null;
    box.placeholder = reason === null ? this.#placeholder : words;
    mark(this.#host, "data-locked", reason !== null);
  }

  /** Let nothing be sent yet, though it may be written; none: let it. @param {import("../protocol.js").Hold} [hold] */
  hold(hold) {
    this.#hold = hold;
    this.#heldUntil = Date.now() + (hold?.left ?? Infinity);
  }

  /** Send the text, or say why not and keep it in the box. @param {string} text */
  send(text) {
    const reason = this.#lockReason ?? this.#reasonNotToSend(text) ?? this.#holdReason();
    if (reason !== null) return this.refuse(text, reason);
    this.#typedAt = 0;
    this.#restored = "";
    this.#showAlert("");
    this.#on.send(text, this.telemetry.take(text));
    queueMicrotask(() => this.#notifyShiny());
  }

  /** Put a text that was not sent back into the box, and say why. @param {string} text @param {string} reason */
  refuse(text, reason) {
    this.#showAlert(reason);
    // after Shiny, which sets the box once more when the server has submitted the text
    queueMicrotask(() => this.restore(text));
  }

  /** Put a text back, before anything typed since. @param {string} text */
  restore(text) {
    if (!text) return;
    const box = this.#textarea;
    const kept = box.value.startsWith(this.#restored) ? this.#restored : "";
    const since = box.value.slice(kept.length).replace(/^\n/, "");
    this.#restored = [kept, text].filter(Boolean).join("\n");
    box.value = [this.#restored, since].filter(Boolean).join("\n");
    this.telemetry.hold();
    this.#notifyShiny();
  }

  /** The text in the box. */
  get draft() {
    return this.#textarea.value;
  }

  empty() {
    this.telemetry.empty();
    if (!this.#textarea.value) return;
    this.#restored = this.#textarea.value = "";
    this.#showAlert("");
    this.#notifyShiny();
  }

  /** Replace the text in the box, and focus it. @param {string} text */
  fill(text) {
    this.telemetry.empty();
    this.#textarea.value = text;
    this.#notifyShiny();
    this.focus();
  }

  focus() {
    this.#textarea.focus();
  }

  /** @param {string} text */
  #reasonNotToSend(text) {
    if (!text.trim()) return this.#labels.text("empty");
    const n = this.#max ? lengthOf(text) : 0;
    return n > this.#max ? this.#tooLong(n) : null;
  }

  #holdReason() {
    if (!this.#hold || Date.now() >= this.#heldUntil) return null;
    return this.#labels.sentence(this.#hold.code, this.#hold.say);
  }

  /** @param {number} n */
  #tooLong(n) {
    return this.#labels.text("above_limit", { n: this.#formatted(n), max: this.#formatted(this.#max) });
  }

  /** @param {number} n */
  #formatted(n) {
    return n.toLocaleString(this.#labels.language);
  }

  /**
   * Keep the focus in the box when something beside the text is pressed, such as the button: without
   * the focus a phone puts its keyboard away. A tap sends this event, too.
   *
   * @param {MouseEvent} event
   */
  #keepFocus(event) {
    const box = this.#textarea;
    const isBeside = event.target instanceof Element && event.target.closest(BOX) && event.target !== box;
    if (isBeside && box.matches(":focus")) event.preventDefault();
  }

  /** Refuse a paste or drop that is not allowed, or far too long. @param {InputEvent} event */
  #refusePaste(event) {
    if (!isPaste(event)) return;
    if (this.#noPaste) {
      event.preventDefault();
      return this.#showAlert(this.#noPaste);
    }
    const text = event.data ?? event.dataTransfer?.getData("text/plain") ?? "";
    if (!this.#max || text.length <= this.#max * MAX_PASTE_FACTOR) return;
    event.preventDefault();
    this.#showAlert(this.#tooLong(lengthOf(text)));
  }

  /** @param {Event} event */
  #input(event) {
    this.#count();
    this.#on.change();
    if (!event.isTrusted) return; // set by a program, not typed
    this.#showAlert("");
    if (this.#textarea.value && Date.now() - this.#typedAt >= TYPING_INTERVAL) {
      this.#typedAt = Date.now();
      this.#on.type();
    }
  }

  /** Make Shiny resize the box and update its button. */
  #notifyShiny() {
    this.#textarea.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #count() {
    const left = this.#max - lengthOf(this.#textarea.value);
    this.counter.hidden = !this.#max || left > this.#max * COUNTER_SHARE;
    const words = this.#labels.text(left < 0 ? "over" : "remaining", { n: this.#formatted(Math.abs(left)) });
    this.counter.replaceChildren(this.counter.hidden ? "" : words);
    mark(this.counter, "data-over", left < 0);
  }

  /** @param {string} reason */
  #showAlert(reason) {
    if (this.alert.textContent === reason) return;
    this.alert.replaceChildren(reason);
    mark(this.#textarea, "aria-invalid", reason ? "true" : null);
  }

  /** @param {string} id */
  #describe(id) {
    const box = this.#textarea;
    if (!box.labels?.length && !box.hasAttribute("aria-label")) mark(box, "aria-label", this.#labels.text("message"));
    mark(box, "aria-describedby", `${this.alert.id} ${this.counter.id} ${id}_status`);
    mark(box, "dir", "auto");
    mark(box, "enterkeyhint", isTouch() ? "enter" : "send");
    mark(this.#host.querySelector("button") ?? box, "aria-label", this.#labels.text("send"));
  }
}

/**
 * Hide from Shiny an Enter that belongs to an input method, or that breaks the line on a touch screen.
 *
 * @param {KeyboardEvent} event
 */
function hideEnterFromShiny(event) {
  const isComposing = event.isComposing || event.keyCode === 229;
  const isBreak = event.key === "Enter" && isTouch() && event.target instanceof HTMLTextAreaElement;
  if (isComposing || isBreak) event.stopImmediatePropagation();
}

function isTouch() {
  return matchMedia("(pointer: coarse)").matches && !matchMedia("(any-pointer: fine)").matches;
}

/**
 * Count characters as the server does: code points.
 *
 * @param {string} text
 */
function lengthOf(text) {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
