// @ts-check
import { randomId } from "../page/identity.js";
import { isSessionLost, sendEvent, watchBeginnings } from "../page/shiny.js";

/**
 * Sends a form's answers, once however often a person presses, and again if the session was lost.
 *
 * @typedef {{cid: string, shown: number, changed: number | null, sent: number, used: string[], round?: number}} Sent as in `Kept`
 */

/** How long the session may take to store answers, in milliseconds. */
const STORE_TIMEOUT = 10_000;

/** What is on its way, by the form's id: an element that is drawn anew goes on with it. @type {Map<string, Sent>} */
const onTheirWay = new Map();
/** What was sent last, by the form's id: the same answers have the same id. @type {Map<string, {of: string, cid: string}>} */
const newest = new Map();

/** The answers of one form. */
export class Sending {
  #id;
  #onTimeout;
  #timer = 0;
  #unwatch = () => {};

  /** @param {string} id the form's @param {() => void} onTimeout nobody has answered */
  constructor(id, onTimeout) {
    this.#id = id;
    this.#onTimeout = onTimeout;
  }

  open() {
    this.#unwatch = watchBeginnings(() => this.#again());
  }

  close() {
    clearTimeout(this.#timer);
    this.#unwatch();
  }

  get isUnderWay() {
    return onTheirWay.has(this.#id);
  }

  /**
   * Send; the inputs have been sent before.
   *
   * @param {Omit<Sent, "cid">} times
   * @param {string} of the answers
   */
  send(times, of) {
    const before = newest.get(this.#id);
    const cid = before?.of === of ? before.cid : randomId();
    newest.set(this.#id, { of, cid });
    onTheirWay.set(this.#id, { ...times, cid });
    this.#again();
  }

  /** The session has answered; returns whether that is what was waited for. @param {string} cid @param {boolean} isStored */
  settle(cid, isStored) {
    if (onTheirWay.get(this.#id)?.cid !== cid) return false;
    clearTimeout(this.#timer);
    onTheirWay.delete(this.#id);
    if (isStored) newest.delete(this.#id);
    return true;
  }

  #again() {
    const sent = onTheirWay.get(this.#id);
    clearTimeout(this.#timer);
    if (!sent) return;
    if (!isSessionLost()) sendEvent(`${this.#id}_sent`, sent);
    this.#timer = window.setTimeout(() => this.#giveUp(), STORE_TIMEOUT);
  }

  #giveUp() {
    if (isSessionLost()) return this.#onTimeout(); // it is sent when there is a session again
    onTheirWay.delete(this.#id);
    this.#onTimeout();
  }
}
