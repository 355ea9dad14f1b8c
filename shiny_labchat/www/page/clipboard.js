// @ts-check
import { make } from "../dom.js";

/** Copy a text to the clipboard. @param {string} text */
export async function writeClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyWithoutClipboard(text); // plain http has no clipboard API
  }
}

/** @param {string} text */
function copyWithoutClipboard(text) {
  const box = make("textarea", { class: "visually-hidden", "aria-hidden": "true" });
  box.value = text;
  document.body.append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
}
