// @ts-check
import { make } from "../dom.js";

const NEAR_BOTTOM = 48;
const NEAR_TOP = 240;
const OPENERS = "summary, .labchat-more";

/**
 * Where the transcript stands. Every change of it goes through here, one after the other: it stays
 * at the bottom if it was there, and otherwise what is being read does not move.
 */
export class Scroller {
  #log;
  #list;
  #chain = Promise.resolve();
  #lastTop = 0;
  #isAtBottom = true;
  #onTop;
  #onBottom;
  #onLeave;
  #observer = new ResizeObserver(() => this.#follow());
  #gauge = new Gauge();
  /** Stands where the log stands. */
  gauge = this.#gauge.element;

  /**
   * @param {HTMLElement} log scrolls
   * @param {HTMLElement} list lies in it and grows
   * @param {{top: () => void, bottom: () => void, leave: () => void}} on the reader comes near an
   *   end, or leaves the bottom
   */
  constructor(log, list, { top, bottom, leave }) {
    this.#log = log;
    this.#list = list;
    this.#onTop = top;
    this.#onBottom = bottom;
    this.#onLeave = leave;
    for (const scroller of [log, this.gauge])
      scroller.addEventListener("scroll", () => this.#track(), { passive: true });
    log.addEventListener("click", ({ target }) => this.#onOpen(target));
  }

  get isAtBottom() {
    return this.#isAtBottom;
  }

  watch() {
    this.#observer.observe(this.#log);
    this.#observer.observe(this.#list);
  }

  unwatch() {
    this.#observer.disconnect();
  }

  /**
   * Change the transcript: `prepare` what takes time, then do what it returns at once.
   *
   * @param {() => Promise<() => void>} prepare
   */
  change(prepare) {
    this.#chain = this.#chain.then(prepare).then((draw) => this.keepStill(draw)).catch(console.error);
    return this.#chain;
  }

  toBottom() {
    this.#isAtBottom = true;
    // takes the place of a key's scrolling that is under way, which would go on; is ended at once
    this.#log.scrollBy({ top: 1, behavior: "smooth" });
    this.#follow();
    this.#onBottom();
  }

  #leave() {
    if (!this.#isAtBottom) return;
    this.#isAtBottom = false;
    this.#onLeave();
  }

  /** Is the reader near the top? */
  checkTop() {
    const { scrollTop, clientHeight } = this.#log;
    if (clientHeight > 0 && scrollTop < NEAR_TOP) this.#onTop();
  }

  /** Change the transcript at once. @param {() => void} draw */
  keepStill(draw) {
    const anchor = this.#isAtBottom ? null : this.#firstVisible();
    const before = anchor?.getBoundingClientRect().top ?? 0;
    if (anchor) this.#log.style.overflowAnchor = "none"; // not to be corrected a second time
    draw();
    const shift = anchor?.isConnected ? anchor.getBoundingClientRect().top - before : 0;
    if (shift) this.#log.scrollTop += shift; // to set it at all ends a scrolling that is under way
    this.#follow();
    requestAnimationFrame(() => (this.#log.style.overflowAnchor = ""));
    this.checkTop();
  }

  #firstVisible() {
    const top = this.#log.getBoundingClientRect().top;
    const messages = this.#list.querySelectorAll(":scope > article"); // other lines may be redrawn
    return [...messages].find((message) => message.getBoundingClientRect().bottom > top) ?? null;
  }

  #follow() {
    if (!this.#isAtBottom && this.#fits) return this.toBottom(); // no scrolling would lead there
    if (this.#isAtBottom) this.#log.scrollTop = this.#log.scrollHeight;
    this.#mark();
  }

  #mark() {
    this.#lastTop = this.#log.scrollTop;
    this.#gauge.set();
  }

  get #fits() {
    const { scrollHeight, clientHeight } = this.#log;
    return clientHeight > 0 && scrollHeight <= clientHeight;
  }

  get #below() {
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    return scrollHeight - scrollTop - clientHeight;
  }

  /** Who unfolds something wants to read it from its beginning. @param {EventTarget | null} target */
  #onOpen(target) {
    if (!this.#isAtBottom || !(target instanceof Element && target.closest(OPENERS))) return;
    this.#isAtBottom = false;
    requestAnimationFrame(() => (this.#below < NEAR_BOTTOM ? this.toBottom() : this.#onLeave()));
  }

  /**
   * Only scrolling up leaves the bottom, however little, lest what grows below pull one back. What
   * layout scrolled is not meant.
   */
  #track() {
    const { scrollTop } = this.#log;
    const { risen } = this.#gauge;
    const isDown = scrollTop > this.#lastTop;
    const isUp = scrollTop < this.#lastTop - risen - 1;
    const isThere = this.#below < 2 || (isDown && this.#below < NEAR_BOTTOM);
    if (isThere && !this.#isAtBottom) this.toBottom();
    else if (isUp && !isThere) this.#leave();
    else if (risen) this.#follow();
    if (isThere || !this.#isAtBottom) this.#mark(); // many small steps up are one
    this.checkTop();
  }
}

/**
 * How far layout alone has scrolled something up that was at its bottom.
 *
 * What is higher for a moment, such as while Shiny measures the box below it, is scrolled up for
 * that moment, and stays so. The gauge stands beside it, just as high, and at its own bottom; as
 * nobody can scroll the gauge, it goes up only by what layout did.
 */
class Gauge {
  #top = 0;
  element = make("div", { class: "labchat-gauge", "aria-hidden": "true" }, make("div"));

  /** In pixels, since it was set. */
  get risen() {
    return Math.max(0, this.#top - this.element.scrollTop);
  }

  /** From now on. */
  set() {
    this.element.scrollTop = this.element.scrollHeight;
    this.#top = this.element.scrollTop;
  }
}
