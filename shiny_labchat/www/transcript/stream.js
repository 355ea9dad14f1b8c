// @ts-check
import { make, mark } from "../dom.js";

/**
 * @typedef {import("../protocol.js").Chunk} Chunk
 * @typedef {import("../protocol.js").Ending} Ending
 */

/** How long an answer may say nothing before its place says so, in milliseconds. */
const SILENT_AFTER = 4000;

/** The state of a message: still growing, or how that ended. */
export class Stream {
  #article;
  #content;
  #labels;
  #announce;
  #isLive = false;
  #isDisconnected = false;
  /** @type {HTMLButtonElement | null} */
  #button = null;
  #progress = make("div", { class: "labchat-progress" });
  #silence = make("span", { class: "labchat-silence" });
  #silenceTimer = 0;
  #ending = make("div", { class: "labchat-ending", hidden: true });
  /** To be placed below the text. */
  element = make("div", {}, this.#ending);

  /**
   * @param {HTMLElement} article
   * @param {import("../content/content.js").Content} content
   * @param {import("../labels.js").Labels} labels
   * @param {(words: string) => void} announce to a screen reader
   */
  constructor(article, content, labels, announce) {
    this.#article = article;
    this.#content = content;
    this.#labels = labels;
    this.#announce = announce;
  }

  get isLive() {
    return this.#isLive;
  }

  /**
   * Show that the message grows from now on.
   *
   * @param {(() => boolean) | null} stop asks the server to stop it; returns false if it cannot ask now
   */
  begin(stop) {
    this.#progress.append(make("span", { class: "labchat-pulse", "aria-hidden": "true" }), this.#silence);
    if (stop) this.#progress.append((this.#button = this.#stopButton(stop)));
    this.#content.grow();
    this.#show();
    this.#awaitWords();
  }

  #awaitWords() {
    this.#hideSilence();
    if (this.isEmpty) this.#silenceTimer = window.setTimeout(() => this.#showSilence(), SILENT_AFTER);
  }

  #showSilence() {
    if (this.isEmpty && this.#isLive) this.#silence.textContent = this.#labels.text("still_nothing");
  }

  #hideSilence() {
    clearTimeout(this.#silenceTimer);
    this.#silence.textContent = "";
  }

  #show() {
    this.element.prepend(this.#progress);
    this.#setLive(true);
  }

  #hide() {
    this.#hideSilence();
    this.#moveFocusToLog();
    this.#progress.remove();
    this.#setLive(false);
  }

  /** @param {Chunk} chunk */
  add([, more, keep, deps]) {
    this.#content.grow();
    if (typeof keep === "number") this.#content.become(keep, more, deps);
    else this.#content.add(more, deps);
    this.#awaitWords();
  }

  /** @param {Ending} is */
  end(is) {
    this.#content.close();
    this.#ending.hidden = is === "done";
    this.#ending.textContent = is === "done" ? "" : this.#labels.text(is === "failed" ? "cut_short" : is);
    if (this.#isLive) void this.#finish();
  }

  /** End with the whole message. @param {import("../protocol.js").ShownMessage} shown */
  complete({ id = "", parts, deps, is = "done" }) {
    if (!this.#isLive) return;
    this.add([id, parts, 0, deps]);
    this.end(is);
  }

  /** Enable the stop button again: the server may not have received the request. */
  reconnect() {
    if (this.#button) this.#button.disabled = false;
    if (this.#isDisconnected) this.#show();
    this.#isDisconnected = false;
  }

  /** Stop showing progress: the connection has ended, and no more text will come. */
  disconnect() {
    if (!this.#isLive) return;
    this.#isDisconnected = true;
    this.#hide();
    this.#article.removeAttribute("aria-live");
  }

  /** Whether it has said nothing so far. */
  get isEmpty() {
    return this.#content.isEmpty;
  }

  drop() {
    this.#moveFocusToLog();
    this.#content.drop();
  }

  async #finish() {
    this.#hide();
    await this.#content.ready;
    if (this.#log && this.#words) this.#announce([this.#author, this.#words].filter(Boolean).join("\n"));
    this.#article.removeAttribute("aria-live");
  }

  /** Set whether it grows; meanwhile screen readers are silent about it. @param {boolean} isLive */
  #setLive(isLive) {
    this.#isLive = isLive;
    mark(this.#article, "data-live", isLive);
    mark(this.#article, "aria-busy", isLive ? "true" : null);
    if (isLive) mark(this.#article, "aria-live", "off");
  }

  get #log() {
    return /** @type {HTMLElement | null} */ (this.#article.closest("[role=log]"));
  }

  get #author() {
    return this.#article.querySelector(".labchat-author")?.textContent ?? "";
  }

  get #words() {
    return [this.#content.words, this.#ending.textContent].filter(Boolean).join("\n");
  }

  /** @param {() => boolean} stop */
  #stopButton(stop) {
    const words = this.#labels.text("stop", { name: this.#author });
    const button = make("button", { type: "button", class: "labchat-stop", "aria-label": words, title: words });
    button.addEventListener("click", () => {
      if (!stop()) return;
      this.#moveFocusToLog();
      button.disabled = true;
    });
    return button;
  }

  /** Move the focus from the stop button to the log: when the button goes, it would be lost. */
  #moveFocusToLog() {
    if (this.#button?.matches(":focus")) this.#log?.focus({ preventScroll: true });
  }
}
