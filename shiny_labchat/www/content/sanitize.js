// @ts-check
import { make, mark } from "../dom.js";

/**
 * @typedef {(source: Element) => Element | null} Copier
 * Makes the copy of an element; null: copy only its children.
 */

const COPIED = new Set(
  ("abbr b bdi bdo blockquote br caption code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i ins " +
    "kbd li mark ol p pre q rp rt ruby s samp section small span strong sub summary sup table tbody " +
    "td tfoot th thead tr u ul var wbr").split(" "),
);
const DROPPED = new Set(
  ("applet audio base button canvas embed frame frameset head iframe link math meta noembed noframes " +
    "noscript object option param script select source style svg template textarea title track video").split(" "),
);
const ATTRIBUTES = new Set(
  ("colspan data-suggestion data-suggestion-submit dir lang open reversed rowspan scope start " +
    "title").split(" "),
);
const CLASSES = new RegExp(
  "^(hljs(-\\w+)?|function_|class_|inherited__|language-[\\w+-]+|suggestion|submit|" +
    "table(-striped|-bordered)?|contains-task-list|task-list-item|footnotes)$",
);
const WEB = new Set(["http:", "https:"]);
const LINKS = new Set([...WEB, "mailto:", "tel:"]);
const ALIGNMENTS = new Set(["left", "right", "center"]);

/** @type {Record<string, Copier>} */
const COPIERS = { a: copyLink, input: copyCheckbox };

/**
 * Copy a model's rendered markdown, with nothing but text and harmless elements.
 *
 * Everything not listed above is left out. So nothing runs, nothing is loaded from another server,
 * and nothing can pretend to be a part of the page (ids, forms, Shiny's own classes).
 *
 * @param {Node} source must be in a document that loads nothing
 * @param {string} imageLabel shown in place of an image that is not loaded
 * @returns {DocumentFragment}
 */
export function sanitized(source, imageLabel) {
  const target = document.createDocumentFragment();
  for (const child of source.childNodes) target.append(copy(child, imageLabel));
  return target;
}

/**
 * @param {Node} node
 * @param {string} imageLabel
 * @returns {Node}
 */
function copy(node, imageLabel) {
  if (node.nodeType === Node.TEXT_NODE) return new Text(node.nodeValue ?? "");
  const source = node.nodeType === Node.ELEMENT_NODE ? /** @type {Element} */ (node) : null;
  if (!source || DROPPED.has(source.localName)) return new Text("");
  if (source.localName === "img") return copyImage(source, imageLabel);
  const target = copyElement(source);
  const children = sanitized(source, imageLabel);
  target?.append(children);
  return target ?? children;
}

/** @type {Copier} */
function copyElement(source) {
  const name = source.localName;
  const copier = Object.hasOwn(COPIERS, name) ? COPIERS[name] : copyListed;
  const target = copier(source);
  if (target) copyAttributes(source, target);
  return target;
}

/** @type {Copier} */
function copyListed(source) {
  if (!COPIED.has(source.localName)) return null;
  const target = document.createElement(source.localName);
  const align = /** @type {HTMLElement} */ (source).style?.textAlign;
  if (ALIGNMENTS.has(align)) target.style.textAlign = align;
  return target;
}

/**
 * A link to a web page; null if it is not one.
 *
 * @param {string} href
 */
export function webLink(href) {
  const url = address(href);
  return url && WEB.has(url.protocol) ? link(url) : null;
}

/** @type {Copier} */
function copyLink(source) {
  const url = address(source.getAttribute("href"));
  return url && LINKS.has(url.protocol) ? link(url) : null;
}

/** @param {URL} url */
function link(url) {
  return make("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" });
}

/**
 * An image by its address; only a link if it would be loaded from another server.
 *
 * @param {string} src
 * @param {string} label the link's text then
 */
export function image(src, label) {
  const source = document.implementation.createHTMLDocument("").createElement("img"); // loads nothing
  mark(source, "src", src);
  return copyImage(source, label);
}

/**
 * An image in the page or from this server; for any other only a link, which loads nothing.
 *
 * @param {Element} source
 * @param {string} label
 */
function copyImage(source, label) {
  const url = address(source.getAttribute("src"));
  const alt = source.getAttribute("alt") ?? "";
  const target = url && isLocal(url) ? localImage(url, alt) : placeholder(source, url);
  if (target.localName !== "img") target.append(alt ? `[${label}: ${alt}]` : `[${label}]`);
  copyAttributes(source, target);
  return target;
}

/**
 * @param {URL} url
 * @param {string} alt
 */
function localImage(url, alt) {
  // Another app on this server must not learn the page's address: it may hold a personal link.
  return make("img", { referrerpolicy: "no-referrer", src: url.href, alt });
}

/**
 * @param {Element} source
 * @param {URL | null} url
 */
function placeholder(source, url) {
  const isLink = url && LINKS.has(url.protocol) && !isSuggestion(source);
  return isLink ? link(url) : make("span");
}

/** @type {Copier} */
function copyCheckbox(source) {
  if (source.getAttribute("type") !== "checkbox") return null;
  return make("input", { type: "checkbox", disabled: true, checked: source.hasAttribute("checked") });
}

/**
 * @param {Element} source
 * @param {Element} target
 */
function copyAttributes(source, target) {
  for (const { name, value } of source.attributes) if (ATTRIBUTES.has(name)) mark(target, name, value);
  const classes = [...source.classList].filter((name) => CLASSES.test(name));
  if (classes.length) target.className = classes.join(" ");
}

/** @param {Element} source */
function isSuggestion(source) {
  return source.closest(".suggestion, [data-suggestion]") !== null;
}

/** @param {URL} url */
function isLocal(url) {
  if (url.protocol === "data:") return url.pathname.startsWith("image/");
  return url.protocol === "blob:" || url.origin === location.origin;
}

/** @param {string | null} href */
function address(href) {
  try {
    return href && !href.startsWith("#") ? new URL(href, document.baseURI) : null;
  } catch {
    return null;
  }
}
