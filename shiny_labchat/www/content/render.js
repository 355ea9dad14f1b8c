// @ts-check
import { highlight } from "./highlight.js";
import { breakLines } from "./line_breaks.js";
import { rendered } from "./renderer.js";
import { sanitized } from "./sanitize.js";
import { prepare } from "./source.js";

/**
 * @typedef {{
 *   labels: import("../labels.js").Labels,
 *   breaks: boolean,
 *   idPrefix: string,
 *   note: (words: string) => void,
 * }} RenderOptions breaks: a line break in the text is one on the screen; idPrefix: is different for
 *   each text in the page; note: is told what is not drawn as it is written
 */

/** Longer texts are not rendered, in characters: that would block the page. */
const MAX_RENDERED_LENGTH = 100_000;

/**
 * Render markdown, safely: harmless elements are drawn, everything else is text.
 *
 * @param {string} markdown
 * @param {RenderOptions} options
 * @returns {Promise<DocumentFragment | null>} null if it cannot be rendered
 */
export async function render(markdown, options) {
  const source = prepare(markdown);
  if (!source || source.text.length > MAX_RENDERED_LENGTH) return null;
  const drawn = await rendered(source.text, (all) => sanitized(all, source, options));
  if (!drawn) return null;
  await highlight(drawn.markedCode);
  if (options.breaks) breakLines(drawn.nodes);
  return drawn.nodes;
}
