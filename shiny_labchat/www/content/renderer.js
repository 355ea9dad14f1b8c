// @ts-check

const RENDERER = "shiny-markdown-stream";
const RENDER_TIMEOUT = 5000;

/** shinychat's element for markdown, with a text in it. @param {string} markdown */
export function rendererOf(markdown) {
  const renderer = document.createElement(RENDERER);
  renderer.setAttribute("content", markdown);
  renderer.setAttribute("content-type", "markdown");
  return renderer;
}

/**
 * Render markdown where nothing is loaded and nothing runs, and read what was drawn.
 *
 * The renderer keeps raw HTML: remote images, styles, frames, even scripts, which React moves into the
 * head. So it draws into a document of its own.
 *
 * @template T
 * @param {string} markdown
 * @param {(rendered: Element) => T} read called with what was drawn, which is gone afterwards
 * @returns {Promise<T | null>} null if it cannot be rendered
 */
export async function rendered(markdown, read) {
  await customElements.whenDefined(RENDERER);
  const renderer = rendererOf(markdown);
  const isDrawn = await hasDrawn(renderer);
  const result = isDrawn ? read(renderer) : null;
  renderer.remove();
  return result;
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
