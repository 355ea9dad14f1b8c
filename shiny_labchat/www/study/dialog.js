// @ts-check
import { make, mark } from "../dom.js";

/**
 * @typedef {{label: string, class: string, then?: () => void}} Choice
 * @typedef {{title: string, lines: string[], choices: Choice[]}} Question the last choice is the one
 *   that changes nothing; Escape chooses it, too
 */

let made = 0;

/** Ask a question in a dialog over the page. @param {Question} question */
export function ask({ title, lines, choices }) {
  made += 1;
  const heading = make("h2", { id: `labchat-dialog-${made}`, class: "labchat-dialog-title" }, title);
  const dialog = make("dialog", { class: "labchat-dialog", "aria-labelledby": heading.id });
  const text = make("div", { id: `${heading.id}-text` }, ...lines.filter(Boolean).map((line) => make("p", {}, line)));
  mark(dialog, "aria-describedby", text.childElementCount ? text.id : null);
  const buttons = choices.map((choice) => button(dialog, choice));
  dialog.append(heading, text, make("div", { class: "labchat-study-row" }, ...buttons));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  buttons.at(-1)?.focus(); // the one that changes nothing
}

/** @param {HTMLDialogElement} dialog @param {Choice} choice */
function button(dialog, choice) {
  const made = make("button", { type: "button", class: choice.class }, choice.label);
  made.addEventListener("click", () => {
    if (!dialog.open) return; // a second click
    dialog.close();
    choice.then?.();
  });
  return made;
}
