// @ts-check
import { harmless } from "./sanitize.js";

const RENDERER = "shiny-markdown-stream";
const RENDERED_WITHIN = 5000;

/**
 * Markdown, drawn by shinychat's renderer.
 *
 * The renderer keeps raw HTML: remote images, styles, frames, even scripts, which React hoists
 * into the head. So it draws into a document that is no page, and what it drew is copied into
 * this one through a list of what is harmless.
 *
 * @param {string} markdown
 * @param {string} imageWord
 * @returns {Promise<DocumentFragment | null>} null: it could not be drawn
 */
export async function rendered(markdown, imageWord) {
  await customElements.whenDefined(RENDERER);
  const press = document.createElement(RENDERER);
  press.setAttribute("content", markdown);
  press.setAttribute("content-type", "markdown");
  const isDrawn = await drawn(press);
  const fragment = isDrawn ? harmless(press, imageWord) : null;
  press.remove();
  return fragment;
}

/**
 * @param {Element} press
 * @returns {Promise<boolean>}
 */
function drawn(press) {
  return new Promise((resolve) => {
    const observer = new MutationObserver(() => settle(true));
    const patience = setTimeout(() => settle(false), RENDERED_WITHIN);
    /** @param {boolean} isDrawn */
    const settle = (isDrawn) => {
      observer.disconnect();
      clearTimeout(patience);
      resolve(isDrawn);
    };
    observer.observe(press, { childList: true });
    document.implementation.createHTMLDocument("").body.append(press);
  });
}
