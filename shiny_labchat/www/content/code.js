// @ts-check
import { make } from "../dom.js";
import { writeClipboard } from "../page/clipboard.js";

/**
 * Copy a code block to the clipboard when its button is pressed.
 *
 * @param {HTMLElement} log
 * @param {import("../labels.js").Labels} labels
 */
export function listenForCopy(log, labels) {
  log.addEventListener("click", async ({ target }) => {
    const button = target instanceof Element ? target.closest(".labchat-copy") : null;
    const code = button?.closest("pre")?.querySelector("code");
    if (!button || !code) return;
    await writeClipboard(code.textContent ?? "");
    button.textContent = labels.text("copied");
    setTimeout(() => (button.textContent = labels.text("copy")), 2000);
  });
}

/**
 * A block of code with its button.
 *
 * @param {string} code
 * @param {import("../labels.js").Labels} labels
 */
export function codeBlock(code, labels) {
  return make("pre", {}, make("code", {}, code), copyButton(labels));
}

/** @param {import("../labels.js").Labels} labels */
export function copyButton(labels) {
  return make("button", { type: "button", class: "labchat-copy" }, labels.text("copy"));
}
