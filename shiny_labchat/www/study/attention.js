// @ts-check
import { replaceTitle } from "../page/title.js";
import { playSound, unlockSound } from "./sound.js";

/** @typedef {import("../protocol.js").Screen} Screen */

/** In milliseconds. */
const BLINK_INTERVAL = 1000;

/** Calls a person who is doing something else: by a sound, the page's title, a notification. */
export class Attention {
  #tag;
  #asked = "";
  #blinking = 0;
  /** @type {Notification | null} */
  #notification = null;

  /** @param {string} tag the study's name: it has one notification at a time */
  constructor(tag) {
    this.#tag = tag;
    unlockSound();
    window.addEventListener("focus", () => this.#notice());
    window.addEventListener("focus", () => this.#notice());
    document.addEventListener("visibilitychange", () => this.#notice());
  }

  /** Call if this screen asks for attention and the one before did not. @param {Screen} screen */
  show({ is, attention }) {
    const asked = attention ? JSON.stringify([is, attention]) : "";
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#rest();
    if (!attention) return;
    if (attention.sound) void playSound();
    if (isSeen()) return;
    if (attention.title) this.#blink(attention.title);
    if (attention.notify) this.#notify(attention.notify);
  }

  /** Whether the person can be asked to allow notifications. */
  static get isAskable() {
    return "Notification" in window && window.isSecureContext && Notification.permission === "default";
  }

  /** @param {string} words */
  #blink(words) {
    let isShown = false;
    const turn = () => replaceTitle((isShown = !isShown) ? words : "");
    turn();
    this.#blinking = window.setInterval(turn, BLINK_INTERVAL);
  }

  /** @param {string} words */
  #notify(words) {
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    try {
      this.#notification = new Notification(words, { tag: `labchat-${this.#tag}` });
      this.#notification.onclick = () => window.focus();
    } catch {
      // some phones have notifications for service workers only
    }
  }

  #notice() {
    if (isSeen()) this.#rest();
  }

  #rest() {
    if (this.#blinking) replaceTitle("");
    clearInterval(this.#blinking);
    this.#blinking = 0;
    this.#notification?.close();
    this.#notification = null;
  }
}

function isSeen() {
  return !document.hidden && document.hasFocus();
}
