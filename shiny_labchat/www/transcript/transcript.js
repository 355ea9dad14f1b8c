// @ts-check
import { listenForJumps } from "../content/anchors.js";
import { listenForCopy } from "../content/code.js";
import { make } from "../dom.js";
import { discard } from "../page/shiny.js";
import { Announcer } from "./announcer.js";
import { dayDivider, renameDays } from "./days.js";
import { isContinued, isSameDay } from "./grouping.js";
import { drawMessage, isOwn } from "./message.js";
import { Scroller } from "./scroll.js";

/**
 * @typedef {import("../protocol.js").ShownMessage} ShownMessage
 * @typedef {import("./message.js").DrawnMessage} DrawnMessage
 * @typedef {import("../protocol.js").Item} Item
 * @typedef {import("../protocol.js").MessageItem} MessageItem
 * @typedef {Pick<DrawnMessage, "article" | "stream">} ArticleAndStream
 * @typedef {{seq: number, shown: ShownMessage, day: HTMLElement | null} & ArticleAndStream} Entry
 */

/** How many messages stay drawn while the reader is at the bottom; older ones are loaded again. */
const MAX_DRAWN = 400;
/** How long to wait for a message to be rendered before it is shown as plain text, in milliseconds. */
const RENDER_TIMEOUT = 400;
/** The greeting's place in the order: before all else. */
const GREETING_SEQ = -Number.MAX_SAFE_INTEGER;
/** How long the log is silent for screen readers after a silent insertion, in milliseconds. */
const SILENT_FOR = 500;

/** The room's messages: each drawn once, in the order of seq, however often and late it arrives. */
export class Transcript {
  #labels;
  #context;
  #onOlder;
  /** @type {Entry[]} by seq; the page's initial messages have seqs below 0 */
  #entries = [];
  #clearedUpTo = 0;
  #oldest = 0;
  #hasMore = false;
  #isLoading = false;
  #unread = 0;
  #silenceTimer = 0;
  #scroller;
  #announcer = new Announcer();
  /** @type {import("./message.js").TranscriptActions} */
  #actions = {
    keepStill: (change) => this.#scroller.keepStill(change),
    announce: (words) => this.#announcer.announce(words),
  };

  log;
  gauge;
  announcements = this.#announcer.element;
  button = make("button", { type: "button", class: "labchat-new btn btn-primary btn-sm", hidden: true });
  #loading;
  #list = make("div", { class: "labchat-list" });

  /**
   * @param {import("./message.js").RoomContext} context
   * @param {(before: number) => boolean} onOlder asks for earlier messages; returns false if it cannot now
   */
  constructor(context, onOlder) {
    this.#context = context;
    this.#labels = context.labels;
    this.#onOlder = onOlder;
    this.#loading = make("div", { class: "labchat-loading", hidden: true }, this.#labels.text("older"));
    this.log = make(
      "div",
      { class: "labchat-log", role: "log", tabindex: 0, "aria-live": "polite", "aria-label": this.#labels.text("log") },
      this.#loading,
      this.#list,
    );
    this.#scroller = new Scroller(this.log, this.#list, {
      top: () => this.#loadOlder(),
      bottom: () => this.#reachBottom(),
      leave: () => this.#showUnread(0),
    });
    this.gauge = this.#scroller.gauge;
    this.button.addEventListener("click", () => {
      this.log.focus({ preventScroll: true }); // the button disappears, and the focus would be lost
      this.#scroller.toBottom();
    });
    listenForCopy(this.log, this.#labels);
    listenForJumps(this.log);
  }

  get isEmpty() {
    return !this.#entries.some(({ seq }) => seq > 0);
  }

  watch() {
    this.#scroller.watch();
  }

  unwatch() {
    this.#scroller.unwatch();
    clearTimeout(this.#silenceTimer);
  }

  /** Show the newest message. */
  toBottom() {
    this.#scroller.toBottom();
  }

  renameDays() {
    renameDays(this.#list, this.#labels);
  }

  /** Draw the page's initial messages, before any from the room. @param {ShownMessage[]} messages */
  drawInitial(messages) {
    const first = -messages.length;
    return this.#insertMissing(messages.map((shown, at) => ({ seq: first + at, shown })), { isSilent: true });
  }

  /** Replace the greeting. @param {ShownMessage | null} shown */
  showGreeting(shown) {
    this.#scroller.change(async () => () => this.#removeWhere((entry) => entry.shown.greeting));
    return this.#insertMissing(shown ? [{ seq: GREETING_SEQ, shown }] : [], { isSilent: true });
  }

  /** Remove the room's messages, and draw its newest. @param {Item[]} items @param {boolean} more */
  reset(items, more) {
    this.#scroller.change(async () => () => this.#forget());
    this.#hasMore = more;
    this.#isLoading = false;
    this.#oldest = 0;
    return this.#addItems(items, { isSilent: true });
  }

  /** Draw what happened since. @param {Item[]} items */
  add(items) {
    return this.#addItems(items, { isSilent: false });
  }

  /** Draw a page of earlier messages. @param {Item[]} items @param {boolean} more */
  addOlder(items, more) {
    this.#hasMore = more && items.length > 0;
    const messages = items.filter((item) => item.k !== "end"); // these messages carry their own ending
    return this.#addItems(messages, { isSilent: true }).then(() => this.#stopLoading());
  }

  /** Add text to streamed messages. @param {import("../protocol.js").Chunk[]} chunks */
  grow(chunks) {
    return this.#scroller.change(async () => () => {
      for (const chunk of chunks) this.#find(chunk[0])?.stream.add(chunk);
    });
  }

  /** Take note of a new connection: requests on the old one will not be answered. */
  reconnect() {
    this.#stopLoading();
    this.#eachStream((stream) => stream.reconnect());
  }

  /** Take note that the connection has ended: no message grows any more. */
  disconnect() {
    this.#eachStream((stream) => stream.disconnect());
  }

  /** @param {(stream: import("./stream.js").Stream) => void} change */
  #eachStream(change) {
    this.#scroller.change(async () => () => this.#entries.forEach(({ stream }) => change(stream)));
  }

  /**
   * @param {Item[]} items
   * @param {{isSilent: boolean}} how
   */
  async #addItems(items, how) {
    for (const { seq } of items) this.#oldest = Math.min(this.#oldest || seq, seq);
    const cleared = items.findLast((item) => item.k === "cleared");
    if (cleared) this.#scroller.change(async () => () => this.#clear(cleared, !how.isSilent));
    const messages = items.filter((item) => item.k === "msg");
    const wanted = messages.map((shown) => ({ seq: shown.seq, shown }));
    await this.#insertMissing(wanted, how, () => items.forEach((item) => this.#finish(item)));
  }

  /** End a streamed message, or complete it with its whole text. @param {Item} item */
  #finish(item) {
    if (item.k === "end") this.#end(item);
    else if (item.k === "msg" && !item.live) this.#find(item.seq)?.stream.complete(item);
  }

  /** @param {import("../protocol.js").EndItem} item */
  #end({ of, is }) {
    const entry = this.#find(of);
    if (is === "failed" && entry?.stream.isEmpty) this.#remove(entry);
    else entry?.stream.end(is);
  }

  /** @param {Entry} entry */
  #remove(entry) {
    const at = this.#entries.indexOf(entry);
    this.#entries.splice(at, 1).forEach(remove);
    if (this.#entries[at]) this.#group(at);
  }

  /**
   * @param {{seq: number, shown: ShownMessage}[]} wanted
   * @param {{isSilent: boolean}} how
   * @param {() => void} [then]
   */
  #insertMissing(wanted, { isSilent }, then = () => {}) {
    return this.#scroller.change(async () => {
      const missing = wanted.filter(({ seq }) => this.#isMissing(seq));
      const drawn = missing.map((entry) => ({ ...entry, ...this.#draw(entry.shown) }));
      await allOrTimeout(drawn.map(({ ready }) => ready));
      return () => {
        this.#insertAll(drawn, isSilent);
        then();
      };
    });
  }

  /** @param {ShownMessage} shown */
  #draw(shown) {
    return drawMessage(shown, this.#context, this.#actions);
  }

  /** @param {number} seq */
  #isMissing(seq) {
    if (seq > 0 && seq <= this.#clearedUpTo) return false;
    return !this.#find(seq);
  }

  /** @param {number} seq */
  #find(seq) {
    return this.#entries.findLast((entry) => entry.seq === seq);
  }

  /**
   * @param {({seq: number, shown: ShownMessage} & DrawnMessage)[]} drawn
   * @param {boolean} isSilent
   */
  #insertAll(drawn, isSilent) {
    if (isSilent) this.#silence();
    for (const { seq, shown, article, stream } of drawn)
      this.#insert({ seq, shown, article, stream, day: null });
    for (const { mount } of drawn) mount();
    if (!isSilent) this.#showUnread(drawn.filter(({ shown }) => !isOwn(shown, this.#context)).length);
    if (this.#scroller.isAtBottom) this.#trim();
  }

  /** @param {Entry} entry */
  #insert(entry) {
    const at = this.#entries.findLastIndex(({ seq }) => seq < entry.seq) + 1;
    const next = this.#entries[at];
    this.#entries.splice(at, 0, entry);
    this.#list.insertBefore(entry.article, next ? (next.day ?? next.article) : null);
    this.#group(at);
    if (next) this.#group(at + 1);
  }

  /** Group a message with the one before it, or draw the divider between their days. @param {number} at */
  #group(at) {
    const entry = this.#entries[at];
    const before = this.#entries[at - 1]?.shown;
    entry.article.toggleAttribute("data-continued", isContinued(before, entry.shown));
    entry.day?.remove();
    entry.day = null;
    if (entry.shown.at === undefined || isSameDay(before?.at, entry.shown.at)) return;
    entry.day = dayDivider(entry.shown.at, this.#labels);
    entry.article.before(entry.day);
    this.renameDays();
  }

  /** Remove the oldest messages beyond `MAX_DRAWN`. */
  #trim() {
    const surplus = this.#entries.filter(({ seq }) => seq > 0).length - MAX_DRAWN;
    if (surplus <= 0) return;
    const first = this.#entries.findIndex(({ seq }) => seq > 0);
    this.#entries.splice(first, surplus).forEach(remove);
    this.#oldest = this.#entries[first].seq;
    this.#hasMore = true;
    this.#group(first);
  }

  /**
   * @param {import("../protocol.js").ClearedItem} cleared
   * @param {boolean} isLive it happens now: the page's initial messages go, too
   */
  #clear({ seq: floor, greeting }, isLive) {
    this.#clearedUpTo = Math.max(this.#clearedUpTo, floor);
    this.#hasMore = false;
    this.#removeWhere(({ seq, shown }) => (seq > 0 ? seq < floor : isLive && (greeting || !shown.greeting)));
  }

  #forget() {
    this.#clearedUpTo = 0;
    this.#removeWhere(({ seq }) => seq > 0);
    this.#scroller.toBottom();
  }

  /** @param {(entry: Entry) => boolean | undefined} isGone */
  #removeWhere(isGone) {
    this.#entries.filter(isGone).forEach(remove);
    this.#entries = this.#entries.filter((entry) => !isGone(entry));
    if (this.#entries.length) this.#group(0);
  }

  #loadOlder() {
    if (!this.#hasMore || this.#isLoading || this.isEmpty) return;
    this.#isLoading = this.#onOlder(this.#oldest);
    this.#loading.hidden = !this.#isLoading;
  }

  #stopLoading() {
    this.#isLoading = false;
    this.#loading.hidden = true;
    this.#scroller.checkTop();
  }

  /** @param {number} more */
  #showUnread(more) {
    this.#unread = this.#scroller.isAtBottom ? 0 : this.#unread + more;
    this.button.hidden = this.#scroller.isAtBottom;
    const label = this.#unread > 1 ? "new_many" : this.#unread ? "new_one" : "newest";
    this.button.textContent = this.#labels.text(label, { n: this.#unread });
  }

  #reachBottom() {
    this.#showUnread(0);
    this.#trim();
  }

  #silence() {
    this.log.setAttribute("aria-live", "off");
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = window.setTimeout(() => this.log.setAttribute("aria-live", "polite"), SILENT_FOR);
  }
}

/** @param {Entry} entry */
function remove({ article, stream, day }) {
  day?.remove();
  stream.drop();
  discard(article);
}

/** @param {Promise<unknown>[]} all */
function allOrTimeout(all) {
  const late = new Promise((resolve) => setTimeout(resolve, RENDER_TIMEOUT));
  return Promise.race([Promise.all(all), late]);
}
