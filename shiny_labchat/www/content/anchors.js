// @ts-check
import { make } from "../dom.js";

/** Links inside one text, such as to its footnotes, and the places that they lead to. */
export class Anchors {
  /** The ids that the copies of these elements have. @type {Map<Element, string>} */
  #ids = new Map();
  /** @type {Map<string, string>} by the id in the text */
  #places = new Map();

  /**
   * @param {Element} rendered
   * @param {string} prefix of all ids; it is different for each text in the page
   */
  constructor(rendered, prefix) {
    const wanted = new Set([...rendered.querySelectorAll('a[href^="#"]')].map(placeOf));
    for (const element of rendered.querySelectorAll("[id]")) {
      if (!wanted.has(element.id) || this.#places.has(element.id)) continue;
      const id = `${prefix}-${this.#places.size}`;
      this.#places.set(element.id, id);
      this.#ids.set(element, id);
    }
  }

  /** The id of an element's copy; null: no link leads there. @param {Element} element */
  idOf(element) {
    return this.#ids.get(element) ?? null;
  }

  /**
   * The copy of a link; null: there is no such place.
   *
   * @param {Element} link
   * @param {string} back the name of a link that leads back from a footnote
   */
  link(link, back) {
    const id = this.#places.get(placeOf(link));
    if (!id) return null;
    const isBack = link.hasAttribute("data-footnote-backref");
    return make("a", { href: `#${id}`, "data-place": id, "aria-label": isBack ? back : null });
  }
}

/**
 * Follow links inside a text without changing the page's address, which belongs to the app.
 *
 * @param {HTMLElement} log
 */
export function listenForJumps(log) {
  log.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest(INTERNAL) : null;
    const place = link && findPlace(link);
    if (!place || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    for (let at = place.closest("details"); at; at = at.parentElement?.closest("details") ?? null) at.open = true;
    if (!place.hasAttribute("tabindex")) place.tabIndex = -1;
    place.focus({ preventScroll: true });
    place.scrollIntoView({ block: "nearest" }); // afterwards: with the focus a folded message unfolds
  });
}

/** Those of sanitised markdown, and footnotes in an app's own. */
const INTERNAL = ".labchat-markdown a:is([data-place], [data-footnote-ref], [data-footnote-backref])";

/** @param {Element} link */
function findPlace(link) {
  const places = link.closest(".labchat-markdown")?.querySelectorAll("[id]") ?? [];
  const id = placeOf(link);
  return /** @type {HTMLElement | undefined} */ ([...places].find((place) => place.id === id));
}

/** The id that a link leads to. @param {Element} link */
function placeOf(link) {
  const href = link.getAttribute("href") ?? "";
  try {
    return decodeURIComponent(href.slice(1));
  } catch {
    return href.slice(1);
  }
}
