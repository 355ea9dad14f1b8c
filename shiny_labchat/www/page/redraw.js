// @ts-check
import { bindAll, discard, loadAll, parse, shiny } from "./shiny.js";

/**
 * Outputs that are drawn anew with a room in them: the room's element stays where it is.
 *
 * Drawn anew, it would lose what a person types, the cursor, an input method's composition, and the
 * scroll position.
 *
 * @typedef {string | {html: string, deps?: unknown[]} | null} Content
 */

const ROOM = "labchat-room";
/** What the app says of a room: if it says something else, the element is made anew. */
const SETTINGS = ["placeholder", "messages", "icon-assistant", "enable-cancel", "labels", "person", "breaks", "done"];

/** Have Shiny's outputs of UI keep the rooms in them. */
export function keepRooms() {
  const binding = shiny()?.outputBindings.bindingNames["shiny.htmlOutput"]?.binding;
  if (!binding) return;
  const draw = binding.renderValue;
  binding.renderValue = async function (/** @type {Element} */ element, /** @type {Content} */ content) {
    if (!(await drawAround(element, content))) await draw.call(this, element, content);
  };
}

/**
 * Draw around the rooms that stay; false if none does.
 *
 * @param {Element} element
 * @param {Content} content
 */
async function drawAround(element, content) {
  if (!content || !element.querySelector(ROOM)) return false;
  const { html, deps = [] } = typeof content === "string" ? { html: content } : content;
  const fresh = parse(html);
  const staying = stayingRooms(element, fresh);
  const isInPlace = fits(element, fresh, staying);
  if (!staying.size || !(isInPlace || "moveBefore" in Element.prototype)) return false;
  await loadAll(deps);
  if (isInPlace) replaceAround(element, fresh, staying);
  else moveThrough(element, fresh, staying);
  await bindAll(element);
  return true;
}

/** @typedef {Map<Element, Element>} Staying the rooms that stay, by their places in the new content */

/**
 * @param {Element} element
 * @param {DocumentFragment} fresh
 * @returns {Staying}
 */
function stayingRooms(element, fresh) {
  const staying = new Map();
  for (const place of fresh.querySelectorAll(ROOM)) {
    const room = element.querySelector(`${ROOM}#${CSS.escape(place.id)}`);
    if (room && SETTINGS.every((name) => room.getAttribute(`data-${name}`) === place.getAttribute(`data-${name}`)))
      staying.set(place, room);
  }
  return staying;
}

/**
 * The children of a new node that have rooms in them, with the old children of the same rooms.
 *
 * @param {Element} old
 * @param {Element | DocumentFragment} fresh
 * @param {Staying} staying
 */
function anchors(old, fresh, staying) {
  /** @type {[Element, Element][]} */
  const pairs = [];
  for (const child of fresh.children) {
    const place = [...staying.keys()].find((place) => child.contains(place));
    if (!place) continue;
    const room = /** @type {Element} */ (staying.get(place));
    const before = [...old.children].find((each) => each.contains(room));
    if (before) pairs.push([before, child]);
  }
  return pairs;
}

/**
 * Whether the tags above each room that stays are the same, in the same order.
 *
 * @param {Element} old
 * @param {Element | DocumentFragment} fresh
 * @param {Staying} staying
 * @returns {boolean}
 */
function fits(old, fresh, staying) {
  const pairs = anchors(old, fresh, staying);
  const wanted = [...fresh.children].filter((child) => [...staying.keys()].some((place) => child.contains(place)));
  const isInOrder = pairs.every(
    ([before], at) => at === 0 || pairs[at - 1][0].compareDocumentPosition(before) & Node.DOCUMENT_POSITION_FOLLOWING,
  );
  if (pairs.length !== wanted.length || !isInOrder) return false;
  return pairs.every(([before, child]) => {
    if (staying.get(child) === before) return true;
    return before.localName === child.localName && before.localName !== ROOM && fits(before, child, staying);
  });
}

/**
 * Replace all but the rooms that stay and the elements that they are in.
 *
 * @param {Element} old
 * @param {Element | DocumentFragment} fresh
 * @param {Staying} staying
 */
function replaceAround(old, fresh, staying) {
  const pairs = new Map(anchors(old, fresh, staying).map(([before, child]) => [child, before]));
  const kept = new Set(pairs.values());
  for (const node of [...old.childNodes]) {
    if (node instanceof Element && !kept.has(node)) discard(node);
    else if (!(node instanceof Element)) node.remove();
  }
  for (const node of [...fresh.childNodes]) {
    const before = node instanceof Element ? pairs.get(node) : undefined;
    if (before === undefined) {
      // what is kept and comes later stands in its place already
      old.insertBefore(runnable(node), nextKept(node, pairs));
    } else if (node instanceof Element && staying.get(node) !== before) {
      copyAttributes(node, before);
      replaceAround(before, node, staying);
    }
  }
}

/**
 * @param {Node} node
 * @param {Map<Element, Element>} pairs
 */
function nextKept(node, pairs) {
  for (let next = node.nextSibling; next; next = next.nextSibling) {
    const kept = next instanceof Element && pairs.get(next);
    if (kept) return kept;
  }
  return null;
}

/** A node whose scripts run when it is put into the page; parsed ones do not. @param {Node} node */
function runnable(node) {
  if (!(node instanceof Element)) return node;
  const scripts = node.matches("script") ? [node] : [...node.querySelectorAll("script")];
  let made = /** @type {Node} */ (node);
  for (const script of scripts) {
    const copy = document.createElement("script");
    copyAttributes(script, copy);
    copy.textContent = script.textContent;
    if (script === node) made = copy;
    else script.replaceWith(copy);
  }
  return made;
}

/** @param {Element} from @param {Element} to */
function copyAttributes(from, to) {
  const bound = [...to.classList].filter((name) => /^shiny-bound-/.test(name));
  for (const { name } of [...to.attributes]) if (!from.hasAttribute(name)) to.removeAttribute(name);
  for (const { name, value } of from.attributes) to.setAttribute(name, value);
  to.classList.add(...bound);
}

/**
 * Take the rooms aside while all else is drawn, and put them into their new places.
 *
 * Only in browsers that can move an element without disconnecting it.
 *
 * @param {Element} element
 * @param {DocumentFragment} fresh
 * @param {Staying} staying
 */
function moveThrough(element, fresh, staying) {
  const aside = document.body.appendChild(document.createElement("div"));
  aside.style.cssText = "position: fixed; inset-inline-start: -200vw; inline-size: 100vw";
  const scrolled = [...staying.values()].flatMap(scrollPositions);
  /** @type {[Element, Element][]} */
  const slots = [...staying].map(([place, room]) => {
    const slot = document.createElement("span");
    place.replaceWith(slot);
    move(aside, room, null);
    return [room, slot];
  });
  replaceAround(element, fresh, new Map());
  for (const [room, slot] of slots) {
    move(/** @type {Element} */ (slot.parentElement), room, slot);
    slot.remove();
  }
  aside.remove();
  for (const [scroller, top] of scrolled) scroller.scrollTop = top;
}

/**
 * What is scrolled in a room, and how far; moving it scrolls it back.
 *
 * @param {Element} room
 * @returns {[Element, number][]}
 */
function scrollPositions(room) {
  const scrolled = [...room.querySelectorAll("*")].filter(({ scrollTop }) => scrollTop > 0);
  return scrolled.map((scroller) => [scroller, scroller.scrollTop]);
}

/** @param {Element} parent @param {Element} child @param {Element | null} before */
function move(parent, child, before) {
  /** @type {any} */ (parent).moveBefore(child, before);
}
