// @ts-check
import { mark } from "../dom.js";

/**
 * Suggestions: texts in a message that a click puts into the box. `.suggestion` (its text) or
 * `[data-suggestion]`.
 *
 * Click, Enter or Space takes one. It is sent at once with the class `submit`, the attribute
 * `data-suggestion-submit`, or Ctrl/Cmd held; never with Alt held.
 */

const SUGGESTION = ".suggestion, [data-suggestion]";
/** Participants' own messages are in neither. */
const ALLOWED_IN = ".labchat-markdown, .labchat-html";

/** @typedef {{altKey: boolean, ctrlKey: boolean, metaKey: boolean}} Modifiers */

/**
 * Call back when a suggestion is taken.
 *
 * @param {HTMLElement} log
 * @param {(text: string, isSent: boolean) => void} take
 */
export function listenForSuggestions(log, take) {
  /** @param {MouseEvent | KeyboardEvent} event */
  const onTake = (event) => {
    const suggestion = suggestionAt(event.target);
    if (!suggestion) return;
    event.preventDefault();
    take(textOf(suggestion), isSent(suggestion, event));
  };
  log.addEventListener("click", onTake);
  log.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") onTake(event);
  });
}

/** Make suggestions reachable with the keyboard. @param {ParentNode} scope */
export function makeFocusable(scope) {
  for (const suggestion of scope.querySelectorAll(SUGGESTION)) {
    mark(suggestion, "tabindex", suggestion.getAttribute("tabindex") ?? 0);
    mark(suggestion, "role", "button");
  }
}

/** @param {EventTarget | null} target */
function suggestionAt(target) {
  const suggestion = target instanceof Element ? target.closest(SUGGESTION) : null;
  return suggestion?.closest(ALLOWED_IN) ? suggestion : null;
}

/** @param {Element} suggestion */
function textOf(suggestion) {
  return (suggestion.getAttribute("data-suggestion") || suggestion.textContent || "").trim();
}

/**
 * @param {Element} suggestion
 * @param {Modifiers} modifiers
 */
function isSent(suggestion, { altKey, ctrlKey, metaKey }) {
  if (altKey) return false;
  return ctrlKey || metaKey || isSubmit(suggestion);
}

/** @param {Element} suggestion */
function isSubmit(suggestion) {
  const attribute = suggestion.getAttribute("data-suggestion-submit");
  return suggestion.classList.contains("submit") || attribute === "" || attribute === "true";
}
