// @ts-check
import { make } from "../dom.js";
import { isSameDay } from "./grouping.js";

const DAY = 86_400_000;

/**
 * The divider between two days.
 *
 * @param {number} at
 * @param {import("../labels.js").Labels} labels
 */
export function dayDivider(at, labels) {
  const date = make("time", { datetime: localDate(at) }, nameOf(at, labels));
  return make("div", { class: "labchat-day", "data-at": at }, date);
}

/**
 * Write the names of the days anew: "Today" may have become "Yesterday".
 *
 * @param {Element} list
 * @param {import("../labels.js").Labels} labels
 */
export function renameDays(list, labels) {
  for (const line of list.querySelectorAll(".labchat-day")) {
    const name = nameOf(Number(line.getAttribute("data-at")), labels);
    if (line.textContent !== name) line.firstElementChild?.replaceChildren(name);
  }
}

/**
 * @param {number} at
 * @param {import("../labels.js").Labels} labels
 */
function nameOf(at, labels) {
  if (isSameDay(at, Date.now())) return labels.text("today");
  if (isSameDay(at, Date.now() - DAY)) return labels.text("yesterday");
  return new Date(at).toLocaleDateString(labels.language, { dateStyle: "full" });
}

/** @param {number} at */
function localDate(at) {
  const date = new Date(at);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
