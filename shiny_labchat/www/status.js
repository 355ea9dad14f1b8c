// @ts-check
import { make } from "./dom.js";

/**
 * @typedef {"joining" | "waiting" | "open" | "closed" | "readonly" | "removed" | "gone" | "reconnecting"} StatusName
 * @typedef {import("./protocol.js").RoomState} RoomState
 */

/** How long it is shown that the connection is back, in milliseconds. */
const RECONNECTED_FOR = 3000;
/** @type {StatusName[]} a note is shown beside these only */
const WITH_NOTE = ["open", "closed", "readonly"];

/** The status of this person in the room, in words. */
export class Status {
  #labels;
  #host;
  #timer = 0;
  #reconnected = "";
  #text = "";
  #note = "";
  element = make("div", { class: "labchat-status", role: "status" });

  /**
   * @param {import("./labels.js").Labels} labels
   * @param {HTMLElement} host the chat, which is marked with the status, too
   */
  constructor(labels, host) {
    this.#labels = labels;
    this.#host = host;
    this.show("joining");
  }

  get current() {
    return /** @type {StatusName} */ (this.element.dataset.status);
  }

  /**
   * @param {StatusName} status
   * @param {string} [words] shown instead of the status's label
   */
  show(status, words = status === "open" ? "" : this.#labels.text(status)) {
    this.element.dataset.status = this.#host.dataset.status = status;
    this.#text = words;
    this.#draw();
  }

  /**
   * Show the room's own state.
   *
   * @param {RoomState} state
   * @param {boolean} isAlone nobody else is here, and there are no messages yet
   */
  showRoom(state, isAlone) {
    const status = statusOf(state);
    if (status !== "open") return this.show(status, this.#textOf(state) || undefined);
    this.show("open", isAlone ? this.#labels.text("first") : this.#reconnected);
  }

  /** Show a note beside the status, while the chat itself works. @param {string} words */
  showNote(words) {
    this.#note = words;
    this.#draw();
  }

  /** Say for a moment that the connection is back. */
  showReconnected() {
    clearTimeout(this.#timer);
    this.#reconnected = this.#labels.text("back");
    this.#timer = window.setTimeout(() => this.#hideReconnected(), RECONNECTED_FOR);
  }

  #hideReconnected() {
    if (this.#text === this.#reconnected) this.show("open");
    this.#reconnected = "";
  }

  close() {
    clearTimeout(this.#timer);
  }

  #draw() {
    const note = WITH_NOTE.includes(this.current) ? this.#note : "";
    const words = this.current === "open" && note ? note : [this.#text, note].filter(Boolean).join(" ");
    if (this.element.textContent !== words) this.element.replaceChildren(words);
  }

  /** @param {RoomState} state */
  #textOf({ code, say = "", reason = "" }) {
    return [this.#labels.sentence(code, say), reason].filter(Boolean).join(" ");
  }
}

/**
 * @param {RoomState} state
 * @returns {StatusName}
 */
function statusOf({ is, write }) {
  return is === "open" && !write ? "readonly" : is;
}
