// @ts-check
import { sanitized } from "./sanitize.js";

const RENDERER = "shiny-markdown-stream";
const RENDER_TIMEOUT = 5000;

/**
 * Render markdown with shinychat's renderer, safely.
 *
 * The renderer keeps raw HTML: remote images, styles, frames, even scripts, which React moves into the
 * head. So it draws into a document of its own, which loads nothing and runs nothing, and only what is
 * on a list of harmless elements is copied from there.
 *
 * @param {string} markdown
 * @param {string} imageLabel
 * @returns {Promise<DocumentFragment | null>} null if it cannot be rendered
 */
export async function render(markdown, imageLabel) {
  await customElements.whenDefined(RENDERER);
  const renderer = document.createElement(RENDERER);
  renderer.setAttribute("content", markdown);
  renderer.setAttribute("content-type", "markdown");
  const isDrawn = await hasDrawn(renderer);
  const fragment = isDrawn ? sanitized(renderer, imageLabel) : null;
  renderer.remove();
  return fragment;
}

/**
 * @param {Element} renderer
 * @returns {Promise<boolean>}
 */
function hasDrawn(renderer) {
  return new Promise((resolve) => {
    const observer = new MutationObserver(() => finish(true));
    const timer = setTimeout(() => finish(false), RENDER_TIMEOUT);
    /** @param {boolean} isDrawn */
    const finish = (isDrawn) => {
      observer.disconnect();
      clearTimeout(timer);
      resolve(isDrawn);
    };
    observer.observe(renderer, { childList: true });
    document.implementation.createHTMLDocument("").body.append(renderer);
  });
}
