// @ts-check
import { TagMarker } from "./tags.js";

const FIRST_PRIVATE = 0xe000;
const LAST_PRIVATE = 0xf8ff;
/** An address that holds the image itself. */
const IMAGE = /data:image\/(?:png|jpe?g|gif|webp);base64,[a-z0-9+/]+={0,2}/gi;
/** A ruled line. Without one, a text that begins with `<tr>` would be parsed as a table's content, and lost. */
const BEGINNING = "***\n\n";
/** What shinychat makes of a model's citation: only the link in it is shown. */
const CITATION = /<shiny-aside data-citation="[^<>]*>\s*(<a href="[^"<>]*">[^<]*<\/a>)\s*<\/shiny-aside>/g;

/**
 * A markdown text made ready for the renderer.
 *
 * The renderer takes every tag for HTML, and drops the addresses of images that hold the image itself.
 * So a mark, a character that is nowhere in the text, makes text of all tags that are not harmless, and
 * stands for those addresses. `restore` turns what was rendered back.
 */
export class Source {
  #mark;
  /** @type {string[]} */
  #images = [];
  /** After a table, whose last text the renderer keeps back until an element comes. */
  #ending = "";
  /** As the renderer is to have it: after a ruled line. */
  text;
  /** The tags with attributes that stay HTML. */
  tags;

  /**
   * @param {string} markdown
   * @param {string} mark
   */
  constructor(markdown, mark) {
    this.#mark = mark;
    const marker = new TagMarker(mark);
    const lines = markdown.replace(/\r\n?/g, "\n");
    const marked = marker.mark(this.#replaceImages(lines.replace(CITATION, "$1")));
    if (marker.hasTable) this.#ending = `\n\n<hr title="${mark}">`;
    this.text = BEGINNING + marked + this.#ending;
    this.tags = [...marker.kept].map((tag) => this.restore(tag));
  }

  /** A text as it was. @param {string} text */
  restore(text) {
    if (!text.includes(this.#mark)) return text;
    const placeholder = new RegExp(`${this.#mark}(\\d+)${this.#mark}`, "g");
    const written = this.#ending ? text.replace(this.#ending, "") : text; // it is text in code without an end
    return written.replace(placeholder, (_, at) => this.#images[at]).replaceAll(this.#mark, "");
  }

  /** An address as it was; the renderer may have encoded it. @param {string | null} url */
  restoreUrl(url) {
    return url && this.restore(url.replaceAll(encodeURIComponent(this.#mark), this.#mark));
  }

  /** The names of the tags that a rendered text shows. @param {string} text */
  shownTags(text) {
    return [...text.matchAll(new RegExp(`<${this.#mark}/?([a-z][\\w-]*)(?=[\\s/>])`, "gi"))].map(([, name]) => name);
  }

  /** Whether a rendered element is the one after a table. @param {Element} element */
  isEnding(element) {
    return element.localName === "hr" && element.getAttribute("title") === this.#mark;
  }

  /** Whether a rendered text is not what it was before. @param {string} text */
  isMarked(text) {
    return text.includes(this.#mark);
  }

  /** @param {string} markdown */
  #replaceImages(markdown) {
    return markdown.replace(IMAGE, (image) => `${this.#mark}${this.#images.push(image) - 1}${this.#mark}`);
  }
}

/** A text without the images that it contains. @param {string} markdown */
export function withoutImages(markdown) {
  return markdown.replace(IMAGE, "");
}

/**
 * Make a markdown text ready; null if it has every character that could be the mark.
 *
 * @param {string} markdown
 */
export function prepare(markdown) {
  for (let code = FIRST_PRIVATE; code <= LAST_PRIVATE; code++) {
    const mark = String.fromCharCode(code);
    if (!markdown.includes(mark)) return new Source(markdown, mark);
  }
  return null;
}
