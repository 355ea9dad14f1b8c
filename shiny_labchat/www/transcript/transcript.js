// @ts-check
import { copyCode } from "../content/code.js";
import { make } from "../dom.js";
import { discard } from "../page/shiny.js";
import { Voice } from "./announcer.js";
import { dayLine, renameDays } from "./days.js";
import { isContinued, isSameDay } from "./grouping.js";
import { drawMessage, isOwn } from "./message.js";
import { Place } from "./scroll.js";

/**
 * @typedef {import("../protocol.js").Shown} Shown
 * @typedef {import("./message.js").DrawnMessage} DrawnMessage
 * @typedef {import("../protocol.js").Item} Item
 * @typedef {import("../protocol.js").MessageItem} MessageItem
 * @typedef {Pick<DrawnMessage, "article" | "stream">} Standing
 * @typedef {{seq: number, shown: Shown, day: HTMLElement | null} & Standing} Entry
 */

/** At most so many messages stay drawn while the newest are read; older ones come back on demand. */
const DRAWN = 400;
/** How long a message may take to be rendered before it is shown as it is. */
const RENDERED_WITHIN = 400;
/** Where what greets a person stands: before all else. */
const GREETING = -Number.MAX_SAFE_INTEGER;
/** How long a screen reader may take to look at what was inserted silently. */
const SILENCE = 500;

/** The messages of the room: drawn by seq, each once, in order, whatever arrives how often. */
export class Transcript {
  #labels;
  #setting;
  #onOlder;
  /** @type {Entry[]} by seq; what the page began with has seqs below 0 */
  #entries = [];
  #floor = 0;
  #oldest = 0;
  #hasMore = false;
  #isAsking = false;
  #unseen = 0;
  #silence = 0;
  #place;
  #voice = new Voice();
  /** @type {import("./message.js").Surroundings} */
  #surroundings = {
    still: (change) => this.#place.keepStill(change),
    say: (words) => this.#voice.say(words),
  };

  log;
  gauge;
  voice = this.#voice.element;
  button = make("button", { type: "button", class: "labchat-new btn btn-primary btn-sm", hidden: true });
  #loading;
  #list = make("div", { class: "labchat-list" });

  /**
   * @param {import("./message.js").Setting} setting
   * @param {(before: number) => boolean} onOlder ask for what came before; false: not now
   */
  constructor(setting, onOlder) {
    this.#setting = setting;
    this.#labels = setting.labels;
    this.#onOlder = onOlder;
    this.#loading = make("div", { class: "labchat-loading", hidden: true }, this.#labels.text("older"));
    this.log = make(
      "div",
      { class: "labchat-log", role: "log", tabindex: 0, "aria-live": "polite", "aria-label": this.#labels.text("log") },
      this.#loading,
      this.#list,
    );
    this.#place = new Place(this.log, this.#list, {
      top: () => this.#askOlder(),
      bottom: () => this.#seeAll(),
      leave: () => this.#count(0),
    });
    this.gauge = this.#place.gauge;
    this.button.addEventListener("click", () => {
      this.log.focus({ preventScroll: true }); // the button goes, and would take the focus with it
      this.#place.toBottom();
    });
    copyCode(this.log, this.#labels);
  }

  get isEmpty() {
    return !this.#entries.some(({ seq }) => seq > 0);
  }

  watch() {
    this.#place.watch();
  }

  unwatch() {
    this.#place.unwatch();
    clearTimeout(this.#silence);
  }

  /** Show the newest message. */
  toBottom() {
    this.#place.toBottom();
  }

  renameDays() {
    renameDays(this.#list, this.#labels);
  }

  /** What the page itself begins with, before anything from the room. @param {Shown[]} messages */
  begin(messages) {
    const first = -messages.length;
    return this.#change(messages.map((shown, at) => ({ seq: first + at, shown })), { isSilent: true });
  }

  /** Greet so, in the place of what did. @param {Shown | null} shown */
  greet(shown) {
    this.#place.change(async () => () => this.#eraseWhere((entry) => entry.shown.greeting));
    return this.#change(shown ? [{ seq: GREETING, shown }] : [], { isSilent: true });
  }

  /** Forget the room, and draw its newest screen. @param {Item[]} items @param {boolean} more */
  reset(items, more) {
    this.#place.change(async () => () => this.#forget());
    this.#hasMore = more;
    this.#isAsking = false;
    this.#oldest = 0;
    return this.#take(items, { isSilent: true });
  }

  /** What happened since. @param {Item[]} items */
  add(items) {
    return this.#take(items, { isSilent: false });
  }

  /** A page of what came before. @param {Item[]} items @param {boolean} more */
  addOlder(items, more) {
    this.#hasMore = more && items.length > 0;
    const messages = items.filter((item) => item.k !== "end"); // they know how they ended
    return this.#take(messages, { isSilent: true }).then(() => this.#stopAsking());
  }

  /** More of what is being streamed. @param {import("../protocol.js").Chunk[]} chunks */
  grow(chunks) {
    return this.#place.change(async () => () => {
      for (const chunk of chunks) this.#find(chunk[0])?.stream.add(chunk);
    });
  }

  /** The line is new: what was asked on the old one will not be answered. */
  renew() {
    this.#stopAsking();
    this.#eachStream((stream) => stream.renew());
  }

  /** There is no line any more, and nothing here grows. */
  leave() {
    this.#eachStream((stream) => stream.leave());
  }

  /** @param {(stream: import("./stream.js").Stream) => void} change */
  #eachStream(change) {
    this.#place.change(async () => () => this.#entries.forEach(({ stream }) => change(stream)));
  }

  /**
   * @param {Item[]} items
   * @param {{isSilent: boolean}} how
   */
  async #take(items, how) {
    for (const { seq } of items) this.#oldest = Math.min(this.#oldest || seq, seq);
    const cleared = items.findLast((item) => item.k === "cleared");
    if (cleared) this.#place.change(async () => () => this.#clear(cleared, !how.isSilent));
    const messages = items.filter((item) => item.k === "msg");
    const wanted = messages.map((shown) => ({ seq: shown.seq, shown }));
    await this.#change(wanted, how, () => items.forEach((item) => this.#finish(item)));
  }

  /** What was streamed has ended, or comes whole after all. @param {Item} item */
  #finish(item) {
    if (item.k === "end") this.#find(item.of)?.stream.end(item.is);
    else if (item.k === "msg" && !item.live) this.#find(item.seq)?.stream.complete(item);
  }

  /**
   * @param {{seq: number, shown: Shown}[]} wanted
   * @param {{isSilent: boolean}} how
   * @param {() => void} [then]
   */
  #change(wanted, { isSilent }, then = () => {}) {
    return this.#place.change(async () => {
      const missing = wanted.filter(({ seq }) => this.#isMissing(seq));
      const drawn = missing.map((entry) => ({ ...entry, ...this.#draw(entry.shown) }));
      await inTime(drawn.map(({ ready }) => ready));
      return () => {
        this.#insertAll(drawn, isSilent);
        then();
      };
    });
  }

  /** @param {Shown} shown */
  #draw(shown) {
    return drawMessage(shown, this.#setting, this.#surroundings);
  }

  /** @param {number} seq */
  #isMissing(seq) {
    if (seq > 0 && seq <= this.#floor) return false;
    return !this.#find(seq);
  }

  /** @param {number} seq */
  #find(seq) {
    return this.#entries.findLast((entry) => entry.seq === seq);
  }

  /**
   * @param {({seq: number, shown: Shown} & DrawnMessage)[]} drawn
   * @param {boolean} isSilent
   */
  #insertAll(drawn, isSilent) {
    if (isSilent) this.#beSilent();
    for (const { seq, shown, article, stream } of drawn)
      this.#insert({ seq, shown, article, stream, day: null });
    for (const { mount } of drawn) mount();
    if (!isSilent) this.#count(drawn.filter(({ shown }) => !isOwn(shown, this.#setting)).length);
    if (this.#place.isAtBottom) this.#trim();
  }

  /** @param {Entry} entry */
  #insert(entry) {
    const at = this.#entries.findLastIndex(({ seq }) => seq < entry.seq) + 1;
    const next = this.#entries[at];
    this.#entries.splice(at, 0, entry);
    this.#list.insertBefore(entry.article, next ? (next.day ?? next.article) : null);
    this.#relate(at);
    if (next) this.#relate(at + 1);
  }

  /** Group a message with the one before it, or draw the line between their days. @param {number} at */
  #relate(at) {
    const entry = this.#entries[at];
    const before = this.#entries[at - 1]?.shown;
    entry.article.toggleAttribute("data-continued", isContinued(before, entry.shown));
    entry.day?.remove();
    entry.day = null;
    if (entry.shown.at === undefined || isSameDay(before?.at, entry.shown.at)) return;
    entry.day = dayLine(entry.shown.at, this.#labels);
    entry.article.before(entry.day);
    this.renameDays();
  }

  /** Drop the oldest of the room's messages beyond what may stay drawn. */
  #trim() {
    const surplus = this.#entries.filter(({ seq }) => seq > 0).length - DRAWN;
    if (surplus <= 0) return;
    const first = this.#entries.findIndex(({ seq }) => seq > 0);
    this.#entries.splice(first, surplus).forEach(erase);
    this.#oldest = this.#entries[first].seq;
    this.#hasMore = true;
    this.#relate(first);
  }

  /**
   * @param {import("../protocol.js").ClearedItem} cleared
   * @param {boolean} isLive it happens now: what the page began with goes too
   */
  #clear({ seq: floor, greeting }, isLive) {
    this.#floor = Math.max(this.#floor, floor);
    this.#hasMore = false;
    this.#eraseWhere(({ seq, shown }) => (seq > 0 ? seq < floor : isLive && (greeting || !shown.greeting)));
  }

  #forget() {
    this.#floor = 0;
    this.#eraseWhere(({ seq }) => seq > 0);
    this.#place.toBottom();
  }

  /** @param {(entry: Entry) => boolean | undefined} isGone */
  #eraseWhere(isGone) {
    this.#entries.filter(isGone).forEach(erase);
    this.#entries = this.#entries.filter((entry) => !isGone(entry));
    if (this.#entries.length) this.#relate(0);
  }

  #askOlder() {
    if (!this.#hasMore || this.#isAsking || this.isEmpty) return;
    this.#isAsking = this.#onOlder(this.#oldest);
    this.#loading.hidden = !this.#isAsking;
  }

  #stopAsking() {
    this.#isAsking = false;
    this.#loading.hidden = true;
    this.#place.look();
  }

  /** @param {number} more */
  #count(more) {
    this.#unseen = this.#place.isAtBottom ? 0 : this.#unseen + more;
    this.button.hidden = this.#place.isAtBottom;
    const label = this.#unseen > 1 ? "new_many" : this.#unseen ? "new_one" : "newest";
    this.button.textContent = this.#labels.text(label, { n: this.#unseen });
  }

  #seeAll() {
    this.#count(0);
    this.#trim();
  }

  #beSilent() {
    this.log.setAttribute("aria-live", "off");
    clearTimeout(this.#silence);
    this.#silence = window.setTimeout(() => this.log.setAttribute("aria-live", "polite"), SILENCE);
  }
}

/** @param {Entry} entry */
function erase({ article, stream, day }) {
  day?.remove();
  stream.drop();
  discard(article);
}

/** @param {Promise<unknown>[]} all */
function inTime(all) {
  const late = new Promise((resolve) => setTimeout(resolve, RENDERED_WITHIN));
  return Promise.race([Promise.all(all), late]);
}
