// @ts-check
import { isText } from "../content/parts.js";
import { withoutImages } from "../content/source.js";
import { make } from "../dom.js";

const MAX_UNFOLDED_CHARACTERS = 1500;
const MAX_UNFOLDED_LINES = 20;

/**
 * Whether a message is so long that it is shown folded.
 *
 * @param {import("../protocol.js").Part[]} parts
 */
export function isLong(parts) {
  if (parts.some(([kind]) => kind === "html" || kind === "trusted")) return false; // it may contain inputs
  const said = parts.filter(isText).filter(([kind]) => kind !== "thinking"); // other parts are folded in any case
  const text = said.map(([, source]) => withoutImages(source)).join("\n");
  const lines = text.split("\n", MAX_UNFOLDED_LINES + 1);
  return text.length > MAX_UNFOLDED_CHARACTERS || lines.length > MAX_UNFOLDED_LINES;
}

/**
 * Fold a message, and return the button that unfolds it.
 *
 * @param {HTMLElement} content
 * @param {import("../labels.js").Labels} labels
 */
export function fold(content, labels) {
  const button = make("button", { type: "button", class: "labchat-more btn btn-link btn-sm" });
  /** @param {boolean} isFolded */
  const set = (isFolded) => {
    content.toggleAttribute("data-folded", isFolded);
    button.setAttribute("aria-expanded", String(!isFolded));
    button.textContent = labels.text(isFolded ? "show_more" : "show_less");
  };
  button.addEventListener("click", () => set(!content.hasAttribute("data-folded")));
  content.addEventListener("focusin", ({ target }) => {
    if (isBelow(/** @type {Element} */ (target), content)) set(false); // nobody must focus what they cannot see
  });
  set(true);
  return button;
}

/**
 * Whether an element ends below the end of what is shown of its folded content.
 *
 * @param {Element} element
 * @param {HTMLElement} content
 */
function isBelow(element, content) {
  return content.scrollTop > 0 || element.getBoundingClientRect().bottom > content.getBoundingClientRect().bottom;
}
