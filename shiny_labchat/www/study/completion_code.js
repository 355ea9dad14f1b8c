// @ts-check
import { make } from "../dom.js";
import { writeClipboard } from "../page/clipboard.js";

/** How long it is said that the code is copied, in milliseconds. */
const COPIED_FOR = 4000;

/** A completion code, and a button that copies it. @param {import("../protocol.js").Code} code */
export function completionCode({ label, text, value, copy, copied }) {
  const shown = make("output", { class: "labchat-study-code", "aria-label": label }, value);
  const button = make("button", { type: "button", class: "btn btn-outline-secondary" }, copy);
  const said = make("span", { class: "visually-hidden", role: "status" });
  let timer = 0;
  button.addEventListener("click", async () => {
    await writeClipboard(value);
    button.replaceChildren(copied);
    said.replaceChildren(copied);
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      button.replaceChildren(copy);
      said.replaceChildren();
    }, COPIED_FOR);
  });
  const row = make("div", { class: "labchat-study-code-line" }, shown, button, said);
  const heading = make("p", { class: "labchat-study-code-label" }, label);
  return make("div", {}, heading, row, text ? make("p", { class: "labchat-study-quiet" }, text) : "");
}
