// @ts-check
import { listenForJumps } from "../content/anchors.js";
import { listenForCopy } from "../content/code.js";
import { make, mark } from "../dom.js";
import { discard } from "../page/shiny.js";
import { blanked, isMessage, shownOf } from "../protocol.js";
import { Announcer } from "./announcer.js";
import { dayDivider, renameDays } from "./days.js";
import { isContinued, isSameDay } from "./grouping.js";
import { drawMessage, isOwn } from "./message.js";
import { Scroller } from "./scroll.js";

/**
 * @typedef {import("../protocol.js").ShownMessage} ShownMessage
 * @typedef {import("./message.js").DrawnMessage} DrawnMessage
 * @typedef {import("../protocol.js").Item} Item
 * @typedef {Pick<DrawnMessage, "article" | "stream">} ArticleAndStream
 * @typedef {{seq: number, shown: ShownMessage, day: HTMLElement | null} & ArticleAndStream} Entry
 *   seq: its number among the room's messages that this page shows; the page's own have none to show
 * @typedef {"first" | "older" | "newest"} Place before all else, before the room's messages, or after them
 */

/** How many messages stay drawn while the reader is at the bottom; older ones are loaded again. */
const MAX_DRAWN = 400;
/** So many more may be drawn until the oldest are removed: browsers style and lay out all anew then. */
const MAX_SURPLUS = 40;
/** How long to wait for a message to be rendered before it is shown as plain text, in milliseconds. */
const RENDER_TIMEOUT = 400;
/** How long the log is silent for screen readers after a silent insertion, in milliseconds. */
const SILENT_FOR = 500;

/** The room's messages, in the order in which they come: each is drawn once, however often it comes. */
export class Transcript {
  #labels;
  #context;
  #onOlder;
  /** @type {Entry[]} as they are shown: the page's own messages, then the room's */
  #entries = [];
  #newestSeq = 0;
  /** The id before which older messages are asked for; "": there is nothing yet. */
  #oldest = "";
  #askedBefore = "";
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
   * @param {(before: string) => boolean} onOlder asks for earlier messages; returns false if it cannot now
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
    return !this.#entries.some(isOfRoom);
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
    return this.#insertMissing(messages, "older", { isSilent: true });
  }

  /** Replace the greeting. @param {ShownMessage | null} shown */
  showGreeting(shown) {
    this.#scroller.change(async () => () => this.#removeWhere((entry) => entry.shown.greeting));
    return this.#insertMissing(shown ? [shown] : [], "first", { isSilent: true });
  }

  /**
   * Remove the room's messages, and draw its newest.
   *
   * @param {Item[]} items
   * @param {boolean} more
   * @param {string} [before] where to go on, as in `addOlder`
   */
  reset(items, more, before = items[0]?.id ?? "") {
    this.#scroller.change(async () => () => this.#forget());
    this.#hasMore = more;
    this.#isLoading = false;
    this.#oldest = before;
    return this.#addItems(items, "newest", { isSilent: true });
  }

  /** Draw what happened since. @param {Item[]} items */
  add(items) {
    this.#oldest ||= items[0]?.id ?? "";
    return this.#addItems(items, "newest", { isSilent: false });
  }

  /**
   * Draw a page of earlier messages.
   *
   * @param {Item[]} items
   * @param {boolean} more
   * @param {string} [before] the id to go on with, where the server has not searched further
   */
  addOlder(items, more, before = items[0]?.id) {
    if (this.#askedBefore !== this.#oldest) return this.#stopLoading(); // what was below it is not shown any more
    this.#hasMore = more && before !== undefined;
    this.#oldest = before ?? this.#oldest;
    return this.#addItems(items, "older", { isSilent: true }).then(() => this.#stopLoading());
  }

  /** Add text to streamed messages. @param {import("../protocol.js").Chunk[]} chunks */
  grow(chunks) {
    return this.#scroller.change(async () => () => {
      for (const chunk of chunks) this.#find(chunk[0])?.stream.add(chunk);
    });
  }

  /** Blank all that somebody has said. @param {string | null} h their handle */
  withdraw(h) {
    return this.#scroller.change(async () => () => this.#blank(h));
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
   * @param {Place} place
   * @param {{isSilent: boolean}} how
   */
  async #addItems(items, place, how) {
    const at = items.findLastIndex((item) => item.k === "cleared");
    const cleared = items[at];
    if (cleared?.k === "cleared") this.#scroller.change(async () => () => this.#clear(cleared, !how.isSilent));
    const left = items.slice(at + 1);
    const shown = left.filter(isMessage).map(shownOf);
    await this.#insertMissing(shown, place, how, () => left.forEach((item) => this.#finish(item)));
  }

  /** End a streamed message, or complete it with its whole text. @param {Item} item */
  #finish(item) {
    if (item.k === "end") this.#end(item);
    else if (item.k === "withdrawn") this.#blank(item.h);
    else if (item.k === "retracted") this.#takeBack(item.of);
    else if (isMessage(item) && !item.live) this.#find(item.id)?.stream.complete(shownOf(item));
  }

  /**
   * Blank the messages of somebody. Screen readers are silent about it: nobody has said anything.
   *
   * @param {string | null} h
   */
  #blank(h) {
    const theirs = this.#entries.filter(({ shown }) => h && shown.h === h && !shown.withdrawn);
    if (!theirs.length) return;
    this.#silence();
    this.#announcer.clear();
    for (const entry of theirs) this.#redraw(entry, blanked(entry.shown));
    this.#entries.forEach((entry, at) => (theirs.includes(entry) || theirs.includes(this.#entries[at - 1])) && this.#group(at));
  }

  /** Remove a message that was retracted. @param {string} id */
  #takeBack(id) {
    const entry = this.#find(id);
    if (!entry) return;
    if (entry.article.contains(document.activeElement)) this.log.focus({ preventScroll: true });
    this.#announcer.clear();
    this.#remove(entry);
    this.#markAnswered();
  }

  /** Draw a message anew, in the same element: what is being read does not move. @param {Entry} entry @param {ShownMessage} shown */
  #redraw(entry, shown) {
    const { article, stream } = this.#draw(shown);
    const old = entry.article;
    if (old.contains(document.activeElement)) this.log.focus({ preventScroll: true });
    entry.stream.drop();
    for (const name of ["data-live", "aria-busy", "aria-live"]) old.removeAttribute(name);
    for (const name of ["data-withdrawn", "data-id"]) mark(old, name, article.getAttribute(name));
    for (const child of [...old.children]) discard(child);
    old.replaceChildren(...article.childNodes);
    Object.assign(entry, { shown, stream });
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
   * @param {ShownMessage[]} wanted
   * @param {Place} place
   * @param {{isSilent: boolean}} how
   * @param {() => void} [then]
   */
  #insertMissing(wanted, place, { isSilent }, then = () => {}) {
    return this.#scroller.change(async () => {
      const missing = wanted.filter(({ id }) => id === undefined || !this.#find(id));
      const drawn = missing.map((shown) => ({ shown, ...this.#draw(shown) }));
      await allOrTimeout(drawn.map(({ ready }) => ready));
      return () => {
        this.#insertAll(drawn, place, isSilent);
        then();
      };
    });
  }

  /** @param {ShownMessage} shown */
  #draw(shown) {
    return drawMessage(shown, this.#context, this.#actions);
  }

  /** @param {string} id */
  #find(id) {
    return this.#entries.findLast(({ shown }) => shown.id === id);
  }

  /**
   * @param {({shown: ShownMessage} & DrawnMessage)[]} drawn
   * @param {Place} place
   * @param {boolean} isSilent
   */
  #insertAll(drawn, place, isSilent) {
    if (isSilent) this.#silence();
    const next = { first: this.#entries[0], older: this.#entries.find(isOfRoom), newest: undefined }[place];
    let seq = next && isOfRoom(next) ? next.seq - drawn.length : this.#newestSeq + 1;
    for (const { shown, article, stream } of drawn)
      this.#insert({ seq: seq++, shown, article, stream, day: null }, next);
    this.#markAnswered();
    for (const { mount } of drawn) mount();
    if (!isSilent) this.#showUnread(drawn.filter(({ shown }) => !isOwn(shown, this.#context)).length);
    if (this.#scroller.isAtBottom) this.#trim();
  }

  /** @param {Entry} entry @param {Entry} [next] none: at the end */
  #insert(entry, next) {
    const at = next ? this.#entries.indexOf(next) : this.#entries.length;
    this.#entries.splice(at, 0, entry);
    if (isOfRoom(entry)) {
      mark(entry.article, "data-seq", String(entry.seq));
      this.#newestSeq = Math.max(this.#newestSeq, entry.seq);
    }
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

  /** Remove the oldest messages beyond `MAX_DRAWN`, many at a time. */
  #trim() {
    const surplus = this.#entries.filter(isOfRoom).length - MAX_DRAWN;
    if (surplus <= MAX_SURPLUS) return;
    const first = this.#entries.findIndex(isOfRoom);
    this.#entries.splice(first, surplus).forEach(remove);
    this.#oldest = this.#entries[first].shown.id ?? "";
    this.#hasMore = true;
    this.#group(first);
    this.#markAnswered();
  }

  /**
   * @param {import("../protocol.js").ClearedItem} cleared
   * @param {boolean} isLive it happens now: the page's initial messages go, too
   */
  #clear({ greeting }, isLive) {
    this.#hasMore = false;
    this.#removeWhere((entry) => isOfRoom(entry) || (isLive && (greeting || !entry.shown.greeting)));
  }

  #forget() {
    this.#newestSeq = 0;
    this.#removeWhere(isOfRoom);
    this.#scroller.toBottom();
  }

  /** @param {(entry: Entry) => boolean | undefined} isGone */
  #removeWhere(isGone) {
    this.#entries.filter(isGone).forEach(remove);
    this.#entries = this.#entries.filter((entry) => !isGone(entry));
    if (this.#entries.length) this.#group(0);
    this.#markAnswered();
  }

  /** Mark whether the person has said something: then there is no greeting any more. */
  #markAnswered() {
    mark(this.#list, "data-answered", this.#entries.some(({ article }) => article.hasAttribute("data-own")));
  }

  #loadOlder() {
    if (!this.#hasMore || this.#isLoading || !this.#oldest) return;
    this.#askedBefore = this.#oldest;
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
function isOfRoom({ shown }) {
  return shown.id !== undefined;
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
