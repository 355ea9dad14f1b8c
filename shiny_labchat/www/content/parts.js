// @ts-check
import { Html } from "./html.js";
import { Markdown } from "./markdown.js";
import { PlainText } from "./text.js";
import { Thinking } from "./thinking.js";
import { TrustedMarkdown } from "./trusted.js";

/**
 * The kinds of parts that a message is made of.
 *
 * @typedef {import("../protocol.js").Part} Part
 * @typedef {import("../protocol.js").TextPart} TextPart
 * @typedef {import("../protocol.js").ToolPart} ToolPart
 * @typedef {import("../protocol.js").WebPart} WebPart
 *
 * @typedef {{
 *   labels: import("../labels.js").Labels,
 *   breaks: boolean,
 *   deps: unknown[],
 *   inPage: Promise<unknown>,
 *   draw: (part: import("./draw_queue.js").Drawable) => Promise<void>,
 *   keepStill: (change: () => void) => void,
 * }} DrawContext what a part needs to be drawn. breaks: line breaks in markdown are shown; deps: the dependencies of its HTML; draw: draws a part
 *   in its turn; keepStill: changes the page, and what is being read does not move
 *
 * @typedef {{element: HTMLElement, ready: Promise<void>, drop: () => void}} Drawn
 *   ready: everything known so far is drawn; drop: it is not needed any more
 * @typedef {Drawn & {
 *   add: (more: string) => void,
 *   become: (source: string) => void,
 *   close: () => void,
 * }} DrawnText become: show this instead; close: nothing more is added for now
 */

/** @type {Record<TextPart[0], new (context: DrawContext) => DrawnText>} by how far its source is trusted */
export const TEXT_KINDS = {
  text: PlainText,
  markdown: Markdown,
  trusted: TrustedMarkdown,
  html: Html,
  thinking: Thinking,
};

/**
 * @param {Part} part
 * @returns {part is TextPart}
 */
export function isText(part) {
  return Object.hasOwn(TEXT_KINDS, part[0]);
}

/**
 * @param {Part} part
 * @returns {part is ToolPart}
 */
export function isTool(part) {
  return part[0] === "tool_request" || part[0] === "tool_result";
}

/**
 * @param {Part} part
 * @returns {part is WebPart}
 */
export function isWeb(part) {
  return part[0].startsWith("web_");
}
