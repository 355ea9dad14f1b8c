// @ts-check

/**
 * How a message stands to the one before it. Pure.
 *
 * @typedef {import("../protocol.js").Shown} Shown
 */

/** A pause longer than this begins a new run, in milliseconds. */
const RUN = 5 * 60_000;

/**
 * Does one author simply go on, so that the name need not be seen again?
 *
 * @param {Shown | undefined} before
 * @param {Shown} shown
 */
export function isContinued(before, shown) {
  if (!before || shown.role === "system" || !isSameVoice(before, shown)) return false;
  return (shown.at ?? 0) - (before.at ?? 0) < RUN && isSameDay(before.at, shown.at);
}

/**
 * @param {Shown} a
 * @param {Shown} b
 */
function isSameVoice(a, b) {
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
