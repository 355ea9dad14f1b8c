// @ts-check
import { make } from "../dom.js";

const INLINE = new Set(
  "a abbr b bdi bdo code del em i img ins input kbd mark q ruby s samp small span strong sub sup u var wbr".split(" "),
);

/**
 * Show each line break of rendered markdown as one; otherwise the browser shows a space.
 *
 * @param {DocumentFragment} nodes
 */
export function breakLines(nodes) {
  const walker = document.createTreeWalker(nodes, NodeFilter.SHOW_TEXT);
  /** @type {Text[]} */
  const texts = [];
  while (walker.nextNode()) texts.push(/** @type {Text} */ (walker.currentNode));
  for (const text of texts) if (text.data.includes("\n") && !text.parentElement?.closest("pre, code")) breakText(text);
}

/** @param {Text} text */
function breakText(text) {
  const lines = text.data.split(/[ \t]*\n[ \t]*/);
  const isCut = [isInline(text.previousSibling), isInline(text.nextSibling)];
  const pieces = lines.flatMap((line, at) => {
    const isFirst = at === 0;
    const isShown = !isFirst && hasText(lines.slice(0, at), isCut[0]) && hasText(lines.slice(at), isCut[1]);
    return isFirst ? [line] : [isShown ? make("br") : "\n", line];
  });
  text.replaceWith(...pieces);
}

/**
 * @param {string[]} lines
 * @param {boolean} isContinued
 */
function hasText(lines, isContinued) {
  return isContinued || lines.some((line) => line !== "");
}

/** @param {Node | null} node */
function isInline(node) {
  return node instanceof Element && INLINE.has(node.localName);
}
