// @ts-check

/**
 * How a message stands to the one before it. Pure.
 *
 * @typedef {import("../protocol.js").ShownMessage} ShownMessage
 */

/** A pause longer than this begins a new run, in milliseconds. */
const MAX_PAUSE_IN_GROUP = 5 * 60_000;

/**
 * Does one author simply go on, so that the name need not be seen again?
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
