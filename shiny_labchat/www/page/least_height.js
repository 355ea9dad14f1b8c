// @ts-check

/** The property with the height of all that stands above and below what scrolls. */
const PARTS = "--labchat-parts";

/** Tells the style sheet how high the parts of an element are, so that none is ever above another. */
export class LeastHeight {
  #host;
  #scrolling;
  #observer = new ResizeObserver(() => this.#measure());

  /** @param {HTMLElement} host @param {HTMLElement} scrolling the child that has what height is left */
  constructor(host, scrolling) {
    this.#host = host;
    this.#scrolling = scrolling;
  }

  watch() {
    for (const part of this.#parts) this.#observer.observe(part);
  }

  unwatch() {
    this.#observer.disconnect();
  }

  get #parts() {
    return [...this.#host.children].filter((each) => each !== this.#scrolling);
  }

  #measure() {
    const heights = this.#parts.map((each) => each.getBoundingClientRect().height);
    const gap = parseFloat(getComputedStyle(this.#host).rowGap) || 0;
    const gaps = gap * this.#parts.filter((each) => each.getClientRects().length > 0).length;
    const all = Math.ceil(heights.reduce((sum, height) => sum + height, gaps));
    this.#host.style.setProperty(PARTS, `${all}px`);
  }
}
