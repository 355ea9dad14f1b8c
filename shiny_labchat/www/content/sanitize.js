// @ts-check
import { make, mark } from "../dom.js";
import { Anchors } from "./anchors.js";
import { ATTRIBUTES, CLASSES, COPIED, isHarmless, LINKS, WEB } from "./elements.js";
import { attributesOf } from "./tags.js";

/**
 * @typedef {import("./source.js").Source} Source
 * @typedef {import("./render.js").RenderOptions} RenderOptions
 * @typedef {{nodes: DocumentFragment, markedCode: HTMLElement[]}} Sanitized
 *   markedCode: the blocks of code that were rendered with marks in them
 * @typedef {RenderOptions & {source: Source, anchors: Anchors, markedCode: HTMLElement[]}} CopyContext
 * @typedef {(element: Element, context: CopyContext) => HTMLElement | null} Copier
 * Makes the copy of an element; null: copy only its children.
 */

/** Nothing of these is copied. A text cannot contain any: they are the renderer's own. */
const DROPPED = new Set(
  ("applet audio base button canvas embed frame frameset head iframe link math meta noembed noframes " +
    "noscript object option param script select source style svg template textarea title track video").split(" "),
);
const ALIGNMENTS = new Set(["left", "right", "center"]);
/** What an image may be that is in its own address. */
const CONTAINED_IMAGE = /^image\/(png|jpe?g|gif|webp)[;,]/i;
/** Attributes that are read, or that nobody misses. */
const READ = new Set(["align", "alt", "class", "href", "id", "rel", "src", "target"]);

/** @type {Record<string, Copier>} */
const COPIERS = { a: copyLink, img: copyImage, input: copyCheckbox };

/**
 * Copy rendered markdown, with nothing but text and harmless elements.
 *
 * Everything else is left out. So nothing runs, nothing is loaded from another server, and nothing can
 * pretend to be a part of the page (ids, forms, Shiny's own classes).
 *
 * @param {Element} rendered must be in a document that loads nothing
 * @param {Source} source what was rendered
 * @param {RenderOptions} options
 * @returns {Sanitized}
 */
export function sanitized(rendered, source, options) {
  const anchors = new Anchors(rendered, options.idPrefix);
  const context = { ...options, source, anchors, markedCode: [] };
  const nodes = copyChildren(rendered, context);
  removeBeginning(nodes);
  noteLeftOut(nodes.textContent ?? "", context);
  return { nodes, markedCode: context.markedCode };
}

/** Remove the ruled line that the source begins with. @param {DocumentFragment} nodes */
function removeBeginning(nodes) {
  const line = nodes.querySelector("hr");
  if (line?.nextSibling instanceof Text) line.nextSibling.data = line.nextSibling.data.replace("\n", "");
  line?.remove();
}

/**
 * @param {Node} parent
 * @param {CopyContext} context
 */
function copyChildren(parent, context) {
  const target = document.createDocumentFragment();
  for (const child of parent.childNodes) target.append(copy(child, context));
  return target;
}

/**
 * @param {Node} node
 * @param {CopyContext} context
 * @returns {Node}
 */
function copy(node, context) {
  if (node.nodeType === Node.TEXT_NODE) return copyText(node, context);
  const element = node.nodeType === Node.ELEMENT_NODE ? /** @type {Element} */ (node) : null;
  if (!element || DROPPED.has(element.localName) || context.source.isEnding(element)) return new Text("");
  const target = copyElement(element, context);
  const children = copyChildren(element, context);
  if (!target) return children;
  target.append(children);
  complete(element, target, context);
  return target;
}

/**
 * @param {Node} node
 * @param {CopyContext} context
 */
function copyText(node, { source, note }) {
  const text = node.nodeValue ?? "";
  if (!node.parentElement?.closest("pre, code")) for (const name of source.shownTags(text)) noteShown(name, note);
  return new Text(source.restore(text));
}

/** @type {Copier} */
function copyElement(element, context) {
  const name = element.localName;
  const copier = Object.hasOwn(COPIERS, name) ? COPIERS[name] : copyListed;
  const target = copier(element, context);
  if (target) copyAttributes(element, target, context);
  return target;
}

/** @type {Copier} */
function copyListed(element) {
  if (!COPIED.has(element.localName)) return null;
  const target = document.createElement(element.localName);
  const align = element.getAttribute("align") ?? /** @type {HTMLElement} */ (element).style.textAlign;
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
function copyLink(element, { source, anchors, labels, note }) {
  const href = source.restoreUrl(element.getAttribute("href"));
  if (href?.startsWith("#")) return anchors.link(element, labels.text("footnote_back"));
  const url = address(href);
  if (url && LINKS.has(url.protocol)) return link(url);
  if (href !== null) note("a link is only text: it may lead to web pages, mail addresses and telephones");
  return null;
}

/** @param {URL} url */
function link(url) {
  return make("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" });
}

/** @type {Copier} */
function copyImage(element, { source, labels, note }) {
  const src = source.restoreUrl(element.getAttribute("src")) ?? "";
  const alt = source.restore(element.getAttribute("alt") || element.getAttribute("title") || "");
  const shown = image(src, alt, labels.text("image"), !isSuggestion(element));
  if (shown.localName !== "img") note("an image is not shown: none is loaded from other servers");
  return shown;
}

/**
 * An image in the page or from this server; for any other only a link, which loads nothing.
 *
 * @param {string} src
 * @param {string} alt
 * @param {string} label its name if it has no text of its own
 * @param {boolean} mayLink
 */
export function image(src, alt, label, mayLink = true) {
  const url = address(src);
  if (url && isLocal(url)) return localImage(url, alt || label);
  const target = mayLink && url && LINKS.has(url.protocol) ? link(url) : make("span");
  target.append(alt ? `[${label}: ${alt}]` : `[${label}]`);
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

/** @type {Copier} */
function copyCheckbox(element) {
  if (element.getAttribute("type") !== "checkbox") return null;
  return make("input", { type: "checkbox", disabled: true, checked: element.hasAttribute("checked") });
}

/**
 * @param {Element} element
 * @param {Element} target
 * @param {CopyContext} context
 */
function copyAttributes(element, target, { source, anchors }) {
  for (const { name, value } of element.attributes) if (ATTRIBUTES.has(name)) mark(target, name, source.restore(value));
  mark(target, "id", anchors.idOf(element));
  copyClasses(element, target);
}

/**
 * @param {Element} element
 * @param {Element} target
 */
export function copyClasses(element, target) {
  const classes = [...element.classList].filter((name) => CLASSES.test(name));
  if (classes.length) target.className = classes.join(" ");
}

/**
 * Finish the copy of an element whose content is copied.
 *
 * @param {Element} element
 * @param {HTMLElement} target
 * @param {CopyContext} context
 */
function complete(element, target, { source, labels, markedCode }) {
  if (target.matches("li.task-list-item")) nameCheckbox(target, labels.text("task"));
  const code = element.matches("pre > code") ? (element.textContent ?? "") : "";
  if (!source.isMarked(code)) return;
  target.textContent = source.restore(code); // without colours: with the marks, they may be wrong
  markedCode.push(target);
}

/**
 * Name the box of a task after its text, for those who do not see it.
 *
 * @param {HTMLElement} item
 * @param {string} label its name if there is no text
 */
function nameCheckbox(item, label) {
  const box = item.querySelector(":scope > input, :scope > p > input");
  const beside = [...(box?.parentNode?.childNodes ?? [])].filter(({ nodeName }) => !/^[uo]l$/i.test(nodeName));
  const text = beside.map(({ textContent }) => textContent).join("").trim();
  if (box) mark(box, "aria-label", text || label);
}

/**
 * Note the attributes that are not drawn.
 *
 * @param {string} shown all that is drawn; a tag that is in it was code
 * @param {CopyContext} context
 */
function noteLeftOut(shown, { source, note }) {
  for (const tag of source.tags.filter((tag) => !shown.includes(tag)))
    for (const { name } of attributesOf(tag))
      if (!ATTRIBUTES.has(name) && !READ.has(name)) note(`the attribute ${name} of ${tag} is left out`);
}

/**
 * @param {string} name
 * @param {CopyContext["note"]} note
 */
function noteShown(name, note) {
  const isElement = isHarmless(name.toLowerCase());
  note(`<${name}> is shown as text: ${isElement ? "an attribute of it" : "it"} is not on the list of what is harmless`);
}

/** @param {Element} element */
function isSuggestion(element) {
  return element.closest(".suggestion, [data-suggestion]") !== null;
}

/** @param {URL} url */
function isLocal(url) {
  if (url.protocol === "data:") return CONTAINED_IMAGE.test(url.pathname);
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
