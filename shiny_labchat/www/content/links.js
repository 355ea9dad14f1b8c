// @ts-check
import { make } from "../dom.js";

/**
 * Links in plain text.
 *
 * A link ends where no address goes on: at spaces, at what is invisible, at quotes and dashes of all
 * languages, and at East Asian scripts, which have no spaces between words.
 */

const EAST_ASIAN =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}\\p{Script=Yi}" +
  "\\u3000-\\u33ff\\ufe10-\\ufe6f\\uff00-\\uffef";
const END = `\\p{C}\\p{Z}\\p{Default_Ignorable_Code_Point}\\u2000-\\u206f<>"\`${EAST_ASIAN}`;
const PAGE = `(?<![a-z0-9])https?://[^${END}]+`;
const MAIL_ADDRESS =
  "(?<![\\w.+-])(?:mailto:)?[a-z0-9][\\w.+-]*@[a-z0-9-]+(?:\\.[a-z0-9-]+)*\\.[a-z]{2,}" +
  `(?!(?![${EAST_ASIAN}])[\\p{L}\\p{M}\\p{N}_-])`;
const LINK = new RegExp(`${PAGE}|${MAIL_ADDRESS}`, "giu");

const CLOSING = new Map([[")", "("], ["]", "["], ["}", "{"]]);
/** Punctuation that ends a sentence rather than an address. */
const PUNCTUATION = /(?![/#%&@\\])[\p{Po}\p{Pf}\p{Pi}*_~]$/u;
/** Characters that change the direction of the text after them. */
const DIRECTION = /[\u202a-\u202e\u2066-\u2069]/;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** @typedef {{at: number, text: string, href: string, host: string | null}} Link
 *   host: where it really leads, if its text could be read otherwise */

/**
 * The links in a text, in order.
 *
 * @param {string} text
 * @returns {Link[]}
 */
export function findLinks(text) {
  const isReordered = DIRECTION.test(text);
  return [...text.matchAll(LINK)].flatMap(({ 0: found, index }) => {
    const link = linkOf(withoutPunctuation(found), isReordered);
    return link ? [{ at: index, ...link }] : [];
  });
}

/**
 * A text as nodes, with its links.
 *
 * @param {string} text
 */
export function linked(text) {
  const nodes = document.createDocumentFragment();
  let done = 0;
  for (const link of findLinks(text)) {
    nodes.append(...plain(text.slice(done, link.at)), linkNode(link));
    done = link.at + link.text.length;
  }
  nodes.append(...plain(text.slice(done)));
  return nodes;
}

/**
 * @param {string} text
 * @param {boolean} isReordered
 */
function linkOf(text, isReordered) {
  const isPage = /^https?:/i.test(text);
  const url = parsed(isPage || /^mailto:/i.test(text) ? text : `mailto:${text}`);
  if (!url || (isPage && !url.host)) return null;
  const host = isPage ? url.host : url.pathname.slice(url.pathname.indexOf("@") + 1);
  const isAsWritten = !isPage || writtenHost(text).toLowerCase() === host;
  const isClear = isAsWritten && !isReordered && !RIGHT_TO_LEFT.test(text);
  return { text, href: url.href, host: isClear ? null : host };
}

/** What a reader takes for the host: all between the slashes. @param {string} page */
function writtenHost(page) {
  return /^https?:\/\/([^/?#]*)/i.exec(page)?.[1] ?? "";
}

/** @param {string} text */
function parsed(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** A link without the punctuation of the sentence around it. @param {string} link */
function withoutPunctuation(link) {
  const characters = [...link];
  const surplus = new Map([...CLOSING].map(([closing, opening]) => [closing, count(link, closing) - count(link, opening)]));
  for (let last = characters.at(-1); last !== undefined; last = characters.at(-1)) {
    const unopened = surplus.get(last) ?? 0;
    if (unopened <= 0 && !PUNCTUATION.test(last)) break;
    if (unopened > 0) surplus.set(last, unopened - 1);
    characters.pop();
  }
  return characters.join("");
}

/**
 * @param {string} text
 * @param {string} character
 */
function count(text, character) {
  return text.split(character).length - 1;
}

/** @param {Link} link */
function linkNode({ text, href, host }) {
  return make("a", { href, target: "_blank", rel: "noopener noreferrer nofollow ugc", "data-host": host }, text);
}

/** @param {string} text */
function plain(text) {
  return text ? [new Text(text)] : [];
}
