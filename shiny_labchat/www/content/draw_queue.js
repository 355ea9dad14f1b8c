// @ts-check

/**
 * The drawing of what grows: one part at a time over the whole page, and never for more than a
 * third of the time, however many answers stream in and however long they are.
 *
 * @typedef {{draw: () => Promise<void>}} Drawable draw: as it is now
 */

/** No part is drawn again sooner, in milliseconds. */
const AGAIN_AFTER = 60;
/** Nor later than so, if it is its turn. */
const LONGEST_PAUSE = 1000;

/** @type {Map<Drawable, {done: Promise<void>, settle: () => void}>} */
const waiting = new Map();
let isDrawing = false;

/**
 * Draw a part when it is its turn.
 *
 * @param {Drawable} part
 * @returns {Promise<void>} when it is drawn as it is now, or newer
 */
export function drawSoon(part) {
  const { done } = waiting.get(part) ?? enqueue(part);
  if (!isDrawing) void drawAll();
  return done;
}

/** @param {Drawable} part */
function enqueue(part) {
  let settle = () => {};
  const done = /** @type {Promise<void>} */ (new Promise((resolve) => (settle = resolve)));
  waiting.set(part, { done, settle });
  return { done };
}

async function drawAll() {
  isDrawing = true;
  // what is enqueued meanwhile comes at the end, and so is reached, too
  for (const [part, { settle }] of waiting) {
    waiting.delete(part);
    const begun = performance.now();
    await part.draw().catch(console.error);
    settle();
    const took = performance.now() - begun;
    const rest = Math.max(2 * took, AGAIN_AFTER / (waiting.size + 1) - took);
    await pause(Math.min(rest, LONGEST_PAUSE));
  }
  isDrawing = false;
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
