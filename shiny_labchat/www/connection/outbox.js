// @ts-check
import { make } from "../dom.js";
import { randomId } from "../page/identity.js";

/** A message that is stored sooner never appears here, in milliseconds. */
const SHOWN_AFTER = 250;

/**
 * @typedef {import("../protocol.js").Typed} Typed
 * @typedef {[cid: string, text: string, typed?: Typed | null]} Unconfirmed typed: how it was written
 * @typedef {{text: string, typed: Typed | null, row: HTMLLIElement, timer: number, isStored: boolean}} WaitingMessage
 */

/** Messages being sent, shown below the transcript until they appear in it. */
export class Outbox {
  #labels;
  #onSend;
  /** @type {Map<string, WaitingMessage>} */
  #waiting = new Map();
  element = make("ul", { class: "labchat-outbox", hidden: true });

  /**
   * @param {import("../labels.js").Labels} labels
   * @param {(cid: string, text: string, typed: Typed | null) => boolean} onSend returns false if there is no connection
   */
  constructor(labels, onSend) {
    this.#labels = labels;
    this.#onSend = onSend;
  }

  /** Messages that the server has not confirmed. @returns {Unconfirmed[]} */
  get unconfirmed() {
    return [...this.#waiting].filter(([, { isStored }]) => !isStored).map(([cid, { text, typed }]) => [cid, text, typed]);
  }

  /**
   * Send a text. The same `cid` is sent once, however often it is put in.
   *
   * @param {string} text
   * @param {Typed | null} typed how it was written
   * @param {string} [cid]
   */
  put(text, typed, cid = randomId()) {
    if (this.#waiting.has(cid)) return;
    const words = make("span", { class: "labchat-unsent", dir: "auto" }, excerpt(text));
    const row = make("li", { hidden: true }, words, " ", make("span", { class: "labchat-sending" }));
    const waiting = { text, typed, row, isStored: false, timer: window.setTimeout(() => this.#show(row), SHOWN_AFTER) };
    this.#waiting.set(cid, waiting);
    this.element.append(row);
    this.#send(cid, waiting);
  }

  /** Send unconfirmed messages again, under the same ids, when the connection is back. */
  sendAgain() {
    for (const [cid, waiting] of this.#waiting) if (!waiting.isStored) this.#send(cid, waiting);
  }

  /** Mark all messages as not sent: the connection is lost. */
  showUnsent() {
    for (const { row } of this.#waiting.values()) this.#describe(row, false);
  }

  /** Note that a message is stored; it stays here until the transcript shows it. @param {string} cid */
  confirm(cid) {
    const waiting = this.#waiting.get(cid);
    if (waiting) waiting.isStored = true;
  }

  /** Remove a message, and return it. @param {string} cid */
  withdraw(cid) {
    const waiting = this.#waiting.get(cid);
    if (!waiting) return null;
    clearTimeout(waiting.timer);
    waiting.row.remove();
    this.#waiting.delete(cid);
    this.element.hidden = !this.element.querySelector("li:not([hidden])");
    return waiting;
  }

  /** Remove all messages that are not stored, and return their texts. */
  withdrawAll() {
    return this.unconfirmed.map(([cid]) => this.withdraw(cid)?.text ?? "");
  }

  /** Remove all messages. */
  empty() {
    for (const cid of this.#waiting.keys()) this.withdraw(cid);
  }

  /** @param {string} cid @param {WaitingMessage} waiting */
  #send(cid, { text, typed, row }) {
    this.#describe(row, this.#onSend(cid, text, typed));
  }

  /** @param {HTMLElement} row @param {boolean} isSending */
  #describe(row, isSending) {
    row.lastElementChild?.replaceChildren(this.#labels.text(isSending ? "sending" : "unsent"));
    if (!isSending) this.#show(row);
  }

  /** @param {HTMLElement} row */
  #show(row) {
    row.hidden = false;
    this.element.hidden = false;
  }
}

/** @param {string} text */
function excerpt(text) {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
