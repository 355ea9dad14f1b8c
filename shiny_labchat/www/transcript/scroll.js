// @ts-check
import { make } from "../dom.js";

const NEAR_BOTTOM = 48;
const NEAR_TOP = 240;
const OPENERS = "summary, .labchat-more";

/**
 * Keeps the transcript's scroll position. Every change of the transcript goes through here, one after
 * the other: it stays at the bottom if it was there; otherwise what is being read does not move.
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
  /** To be placed beside the log, at the same height. */
  gauge = this.#gauge.element;

  /**
   * @param {HTMLElement} log the element that scrolls
   * @param {HTMLElement} list the growing list in it
   * @param {{top: () => void, bottom: () => void, leave: () => void}} on called when the reader comes
   *   near the top, reaches the bottom, or leaves the bottom
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
   * Change the transcript in two steps: `prepare` what takes time, then call at once what it returns.
   *
   * @param {() => Promise<() => void>} prepare
   */
  change(prepare) {
    this.#chain = this.#chain.then(prepare).then((draw) => this.keepStill(draw)).catch(console.error);
    return this.#chain;
  }

  toBottom() {
    this.#isAtBottom = true;
    // replaces a smooth scroll begun with a key, which would go on; the next line ends this one at once
    this.#log.scrollBy({ top: 1, behavior: "smooth" });
    this.#follow();
    this.#onBottom();
  }

  #leave() {
    if (!this.#isAtBottom) return;
    this.#isAtBottom = false;
    this.#onLeave();
  }

  /** Tell if the reader is near the top. */
  checkTop() {
    const { scrollTop, clientHeight } = this.#log;
    if (clientHeight > 0 && scrollTop < NEAR_TOP) this.#onTop();
  }

  /** Change the transcript at once. @param {() => void} draw */
  keepStill(draw) {
    const anchor = this.#isAtBottom ? null : this.#firstVisible();
    const before = anchor?.getBoundingClientRect().top ?? 0;
    if (anchor) this.#log.style.overflowAnchor = "none"; // else the browser corrects it a second time
    draw();
    const shift = anchor?.isConnected ? anchor.getBoundingClientRect().top - before : 0;
    if (shift) this.#log.scrollTop += shift; // even setting the same value would end a smooth scroll
    this.#follow();
    requestAnimationFrame(() => (this.#log.style.overflowAnchor = ""));
    this.checkTop();
  }

  #firstVisible() {
    const top = this.#log.getBoundingClientRect().top;
    const messages = this.#list.querySelectorAll(":scope > article"); // day dividers may be redrawn
    return [...messages].find((message) => message.getBoundingClientRect().bottom > top) ?? null;
  }

  #follow() {
    if (!this.#isAtBottom && this.#fits) return this.toBottom(); // no scrolling would reach the bottom
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

  /**
   * Do not follow the bottom after something is opened: the reader starts at its beginning.
   *
   * @param {EventTarget | null} target
   */
  #onOpen(target) {
    if (!this.#isAtBottom || !(target instanceof Element && target.closest(OPENERS))) return;
    this.#isAtBottom = false;
    requestAnimationFrame(() => (this.#below < NEAR_BOTTOM ? this.toBottom() : this.#onLeave()));
  }

  /**
   * Notice when the reader leaves or reaches the bottom. Any scrolling up leaves it, however little,
   * or new text would pull the reader back. Scrolling caused by layout does not count.
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
    if (isThere || !this.#isAtBottom) this.#mark(); // otherwise not, so that small steps up add up
    this.checkTop();
  }
}

/**
 * Measures how far layout alone has scrolled an element up from its bottom.
 *
 * An element that is taller for a moment, such as while Shiny measures the box below it, is scrolled
 * up by the browser and stays there. The gauge is an element of the same height beside it, scrolled to
 * its own bottom. Nobody can scroll the gauge, so it moves up only by what layout did.
 */
class Gauge {
  #top = 0;
  element = make("div", { class: "labchat-gauge", "aria-hidden": "true" }, make("div"));

  /** How far it has moved up since `set`, in pixels. */
  get risen() {
    return Math.max(0, this.#top - this.element.scrollTop);
  }

  /** Measure from now on. */
  set() {
    this.element.scrollTop = this.element.scrollHeight;
    this.#top = this.element.scrollTop;
  }
}
