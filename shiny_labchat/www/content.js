// @ts-check
import { make } from "./element.js";
import { rendered } from "./markdown.js";
import { drawTrusted } from "./shiny.js";
import { offer } from "./suggestions.js";

/**
 * One part of a message, by how far it is trusted.
 *
 * @typedef {{
 *   element: HTMLElement,
 *   ready: Promise<void>,
 *   mount: () => void,
 * }} Drawn ready: worth waiting for before it is shown; mount: call once it is in the page
 */

const nothing = () => {};

/**
 * @param {import("./wire.js").Part} part
 * @param {unknown[]} deps
 * @param {import("./labels.js").Labels} labels
 * @returns {Drawn}
 */
export function drawPart([kind, source], deps, labels) {
  if (kind === "markdown") return drawMarkdown(source, labels);
  if (kind === "html") return drawHtml(source, deps);
  return { element: drawText(source), ready: Promise.resolve(), mount: nothing };
}

/** @param {string} text */
function drawText(text) {
  return make("div", { class: "labchat-text", dir: "auto" }, text);
}

/**
 * @param {string} markdown
 * @param {import("./labels.js").Labels} labels
 * @returns {Drawn}
 */
function drawMarkdown(markdown, labels) {
  const element = drawText(markdown); // until it is rendered, and if it cannot be
  const ready = rendered(markdown, labels.text("image")).then((nodes) => {
    if (!nodes) return;
    element.className = "labchat-markdown";
    element.replaceChildren(nodes);
    for (const pre of element.querySelectorAll("pre")) pre.append(copyButton(labels));
    offer(element);
  });
  return { element, ready, mount: nothing };
}

/**
 * @param {string} html
 * @param {unknown[]} deps
 * @returns {Drawn}
 */
function drawHtml(html, deps) {
  const element = make("div", { class: "labchat-html", dir: "auto" });
  const mount = () => void drawTrusted(element, html, deps).then(() => offer(element));
  return { element, ready: Promise.resolve(), mount };
}

/** @param {import("./labels.js").Labels} labels */
function copyButton(labels) {
  return make("button", { type: "button", class: "labchat-copy" }, labels.text("copy"));
}
