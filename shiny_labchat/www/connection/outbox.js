// @ts-check
import { make } from "../dom.js";
import { randomId } from "../page/identity.js";

/** What is stored sooner than this is never seen here, in milliseconds. */
const SHOWN_AFTER = 250;

/** @typedef {{text: string, row: HTMLLIElement, timer: number, seq: number}} WaitingMessage seq 0: not stored */

/** The messages on their way, shown apart from the transcript until they stand in it. */
export class Outbox {
  #labels;
  #onSend;
  /** @type {Map<string, WaitingMessage>} */
  #waiting = new Map();
  element = make("ul", { class: "labchat-outbox", hidden: true });

  /**
   * @param {import("../labels.js").Labels} labels
   * @param {(cid: string, text: string) => boolean} onSend send it; false: there is no line
   */
  constructor(labels, onSend) {
    this.#labels = labels;
    this.#onSend = onSend;
  }

  /** What nobody has confirmed. @returns {[cid: string, text: string][]} */
  get unconfirmed() {
    return [...this.#waiting].filter(([, { seq }]) => !seq).map(([cid, { text }]) => [cid, text]);
  }

  /**
   * Send a text; under the same `cid` it is sent once, however often it is put in.
   *
   * @param {string} text
   * @param {string} [cid]
   */
  put(text, cid = randomId()) {
    if (this.#waiting.has(cid)) return;
    const words = make("span", { class: "labchat-unsent", dir: "auto" }, excerpt(text));
    const row = make("li", { hidden: true }, words, " ", make("span", { class: "labchat-sending" }));
    const waiting = { text, row, seq: 0, timer: window.setTimeout(() => this.#show(row), SHOWN_AFTER) };
    this.#waiting.set(cid, waiting);
    this.element.append(row);
    this.#send(cid, waiting);
  }

  /** The line is back: say again, under the same ids, what nobody confirmed. */
  sendAgain() {
    for (const [cid, waiting] of this.#waiting) if (!waiting.seq) this.#send(cid, waiting);
  }

  /** The line is down. */
  showUnsent() {
    for (const { row } of this.#waiting.values()) this.#describe(row, false);
  }

  /** @param {string} cid @param {number} seq */
  confirm(cid, seq) {
    const waiting = this.#waiting.get(cid);
    if (waiting) waiting.seq = seq;
  }

  /** Everything up to here stands in the transcript. @param {number} cursor */
  removeShown(cursor) {
    for (const [cid, { seq }] of this.#waiting) if (seq && seq <= cursor) this.withdraw(cid);
  }

  /** Take one out, and return its text. @param {string} cid */
  withdraw(cid) {
    const waiting = this.#waiting.get(cid);
    if (!waiting) return null;
    clearTimeout(waiting.timer);
    waiting.row.remove();
    this.#waiting.delete(cid);
    this.element.hidden = !this.element.querySelector("li:not([hidden])");
    return waiting.text;
  }

  /** Take out all that is not stored, and return the texts. */
  withdrawAll() {
    return this.unconfirmed.map(([cid]) => this.withdraw(cid) ?? "");
  }

  /** Take out everything. */
  empty() {
    for (const cid of this.#waiting.keys()) this.withdraw(cid);
  }

  /** @param {string} cid @param {WaitingMessage} waiting */
  #send(cid, { text, row }) {
    this.#describe(row, this.#onSend(cid, text));
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
