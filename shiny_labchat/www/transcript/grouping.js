// @ts-check

/**
 * Whether a message belongs to the one before it. Pure functions.
 *
 * @typedef {import("../protocol.js").ShownMessage} ShownMessage
 */

/** A longer pause begins a new group, in milliseconds. */
const MAX_PAUSE_IN_GROUP = 5 * 60_000;

/**
 * Whether the same author goes on, so that the name is not shown again.
 *
 * @param {ShownMessage | undefined} before
 * @param {ShownMessage} shown
 */
export function isContinued(before, shown) {
  if (!before || shown.role === "system" || !isSameAuthor(before, shown)) return false;
  return (shown.at ?? 0) - (before.at ?? 0) < MAX_PAUSE_IN_GROUP && isSameDay(before.at, shown.at);
}

/**
 * @param {ShownMessage} a
 * @param {ShownMessage} b
 */
function isSameAuthor(a, b) {
  return a.h === b.h && a.name === b.name && a.role === b.role && a.icon === b.icon && !a.only === !b.only;
}

/**
 * @param {number | undefined} a
 * @param {number | undefined} b
 */
export function isSameDay(a, b) {
  if (a === undefined || b === undefined) return a === b;
  return new Date(a).toDateString() === new Date(b).toDateString();
}
