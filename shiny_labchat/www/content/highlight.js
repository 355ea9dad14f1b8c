// @ts-check
import { make } from "../dom.js";
import { rendered } from "./renderer.js";
import { copyClasses } from "./sanitize.js";

const LANGUAGE = /(?:^| )language-([\w+-]+)/;

/**
 * Highlight code anew: marks were in it when it was rendered.
 *
 * @param {HTMLElement[]} blocks
 */
export async function highlight(blocks) {
  const named = blocks.filter(({ className }) => LANGUAGE.test(className));
  if (!named.length) return;
  await rendered(named.map(fenced).join("\n\n"), (all) => {
    const fresh = all.querySelectorAll("pre > code");
    named.forEach((block, at) => {
      if (fresh[at]?.textContent === block.textContent) block.replaceChildren(...copies(fresh[at]));
    });
  });
}

/**
 * A block of code as markdown, in a fence that nothing in it can end.
 *
 * @param {HTMLElement} block
 */
function fenced({ className, textContent }) {
  const code = textContent ?? "";
  const longest = Math.max(2, ...(code.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${LANGUAGE.exec(className)?.[1]}\n${code.replace(/\n$/, "")}\n${fence}`;
}

/**
 * Copies of the content of highlighted code, which is text and spans.
 *
 * @param {Node} code
 * @returns {Node[]}
 */
function copies(code) {
  return [...code.childNodes].map((node) => {
    if (node.nodeType !== Node.ELEMENT_NODE) return new Text(node.nodeValue ?? "");
    const span = make("span", {}, ...copies(node));
    copyClasses(/** @type {Element} */ (node), span);
    return span;
  });
}
