// @ts-check
import { make } from "./dom.js";

/**
 * @typedef {"joining" | "waiting" | "open" | "closed" | "readonly" | "removed" | "gone" | "reconnecting"} Standing
 * @typedef {import("./protocol.js").RoomState} RoomState
 */

const BACK_FOR = 3000;
/** @type {Standing[]} */
const WORKING = ["open", "closed", "readonly"];

/** How it stands between this person and the room, in words. */
export class Status {
  #labels;
  #fading = 0;
  #greeting = "";
  #words = "";
  #aside = "";
  element = make("div", { class: "labchat-status", role: "status" });

  /** @param {import("./labels.js").Labels} labels */
  constructor(labels) {
    this.#labels = labels;
    this.show("joining");
  }

  get standing() {
    return /** @type {Standing} */ (this.element.dataset.status);
  }

  /**
   * @param {Standing} standing
   * @param {string} [words] instead of our own
   */
  show(standing, words = standing === "open" ? "" : this.#labels.text(standing)) {
    this.element.dataset.status = standing;
    this.#words = words;
    this.#draw();
  }

  /**
   * What the room says about itself.
   *
   * @param {RoomState} state
   * @param {boolean} isAlone nobody else and nothing said yet
   */
  showRoom(state, isAlone) {
    const standing = standingOf(state);
    if (standing !== "open") return this.show(standing, this.#wordsOf(state) || undefined);
    this.show("open", isAlone ? this.#labels.text("first") : this.#greeting);
  }

  /** What is to be said besides, while the chat itself works. @param {string} words */
  remark(words) {
    this.#aside = words;
    this.#draw();
  }

  /** The line is back, after having been lost. */
  greetBack() {
    clearTimeout(this.#fading);
    this.#greeting = this.#labels.text("back");
    this.#fading = window.setTimeout(() => this.#fade(), BACK_FOR);
  }

  #fade() {
    if (this.#words === this.#greeting) this.show("open");
    this.#greeting = "";
  }

  close() {
    clearTimeout(this.#fading);
  }

  #draw() {
    const aside = WORKING.includes(this.standing) ? this.#aside : "";
    const words = this.standing === "open" && aside ? aside : [this.#words, aside].filter(Boolean).join(" ");
    if (this.element.textContent !== words) this.element.replaceChildren(words);
  }

  /** @param {RoomState} state */
  #wordsOf({ code, say = "", reason = "" }) {
    return [this.#labels.sentence(code, say), reason].filter(Boolean).join(" ");
  }
}

/**
 * @param {RoomState} state
 * @returns {Standing}
 */
function standingOf({ is, write }) {
  return is === "open" && !write ? "readonly" : is;
}
