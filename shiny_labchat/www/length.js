// @ts-check

/**
 * The number of characters, counted as the server does: code points.
 *
 * @param {string} text
 */
export function lengthOf(text) {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
