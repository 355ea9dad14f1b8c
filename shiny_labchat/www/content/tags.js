// @ts-check
import { isHarmless, isKnownAttribute, VOID } from "./elements.js";

const ATTRIBUTE = /[ \t]+([a-z_:][\w.:-]*)(?:[ \t]*=[ \t]*([^\s"'=<>`]+|'[^']*'|"[^"]*"))?/gi;
/** A tag as CommonMark has it, but on one line, so that no renderer sees another end of it. */
const TAG = new RegExp(`<(?<slash>/?)(?<name>[a-z][a-z0-9]*)(?<attributes>(?:${ATTRIBUTE.source})*)[ \\t]*/?>`, "iy");
const AUTOLINK = /<(?:(?:https?|mailto|tel):[^\s<>]*|[\w.+-]+@[a-z0-9.-]+)>/iy;
const OPENING = /<(?=[a-z/!?])/gi;
/** Addresses that an `href` may have: of a permitted protocol, or without any. */
const HREF = /^["']?(?:(?:https?|mailto|tel):|[^:&]*(?:[/?#]|["']?$))/i;
/** All that may stand on a line before the tag that begins a block of HTML. */
const LINE_BEGINNING = /^[\s>*+\-\d.)]*$/;

/**
 * Puts a mark behind each `<` of a markdown text that begins neither a harmless tag nor a link in
 * angle brackets. A renderer takes it for text then, wherever it stands: in a paragraph, in code, or
 * inside other HTML.
 */
export class TagMarker {
  #mark;
  /** Of the open tags of each element, whether they are shown as text: their end tags then are, too. @type {Map<string, boolean[]>} */
  #open = new Map();
  /** Whether this may be in a block of HTML, where a link in angle brackets would be taken for a tag. */
  #isInBlock = false;
  #isInPre = false;
  hasTable = false;
  /** The tags with attributes that are not marked. @type {Set<string>} */
  kept = new Set();

  /** @param {string} mark */
  constructor(mark) {
    this.#mark = mark;
  }

  /** @param {string} markdown */
  mark(markdown) {
    return markdown.split("\n").map((line) => this.#markLine(line)).join("\n");
  }

  /** @param {string} line */
  #markLine(line) {
    if (!line.trim()) this.#isInBlock = false;
    let [marked, done] = ["", 0];
    for (const { index } of line.matchAll(OPENING)) {
      if (index < done) continue;
      const kept = this.#keptTag(line, index) ?? this.#keptLink(line, index);
      const end = index + (kept?.length ?? 1);
      marked += line.slice(done, end) + (kept ? "" : this.#mark);
      done = end;
    }
    return marked + line.slice(done);
  }

  /**
   * @param {string} line
   * @param {number} at
   */
  #keptTag(line, at) {
    const tag = match(TAG, line, at);
    const { slash, name = "", attributes } = tag?.groups ?? {};
    if (!tag || !this.#isKept(name.toLowerCase(), slash !== "", attributes)) return null;
    this.#isInBlock ||= LINE_BEGINNING.test(line.slice(0, at));
    this.#isInPre ||= name.toLowerCase() === "pre";
    this.hasTable ||= name.toLowerCase() === "table";
    if (attributes) this.kept.add(tag[0]);
    return tag[0];
  }

  /**
   * @param {string} name
   * @param {boolean} isEnd
   * @param {string} attributes
   */
  #isKept(name, isEnd, attributes) {
    if (!isHarmless(name)) return false;
    if (isEnd) return !attributes && !this.#open.get(name)?.pop();
    const isKept = areHarmless(attributes);
    if (!VOID.has(name)) this.#open.set(name, [...(this.#open.get(name) ?? []), !isKept]);
    return isKept;
  }

  /**
   * @param {string} line
   * @param {number} at
   */
  #keptLink(line, at) {
    return this.#isInBlock || this.#isInPre ? null : (match(AUTOLINK, line, at)?.[0] ?? null);
  }
}

/** The names and values of a tag's attributes, as they are written. @param {string} tag */
export function attributesOf(tag) {
  return [...tag.matchAll(ATTRIBUTE)].map(([, name, value = ""]) => ({ name: name.toLowerCase(), value }));
}

/** @param {string} attributes */
function areHarmless(attributes) {
  return attributesOf(attributes).every(
    ({ name, value }) => isKnownAttribute(name) && (name !== "href" || HREF.test(value)),
  );
}

/**
 * @param {RegExp} sticky
 * @param {string} text
 * @param {number} at
 */
function match(sticky, text, at) {
  sticky.lastIndex = at;
  return sticky.exec(text);
}
