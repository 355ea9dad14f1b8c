// @ts-check

/**
 * The drawing of what grows: one part at a time over the whole page, and never for more than a
 * third of the time, however many answers stream in and however long they are.
 *
 * @typedef {{draw: () => Promise<void>}} Drawable draw: as it is now
 */

/** No part is drawn again sooner, in milliseconds. */
const REDRAW_INTERVAL = 60;
/** Nor later than so, if it is its turn. */
const MAX_PAUSE = 1000;

/** @type {Map<Drawable, {done: Promise<void>, resolveDone: () => void}>} */
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
  let resolveDone = () => {};
  const done = /** @type {Promise<void>} */ (new Promise((resolve) => (resolveDone = resolve)));
  waiting.set(part, { done, resolveDone });
  return { done };
}

async function drawAll() {
  isDrawing = true;
  // what is enqueued meanwhile comes at the end, and so is reached, too
  for (const [part, { resolveDone }] of waiting) {
    waiting.delete(part);
    const begun = performance.now();
    await part.draw().catch(console.error);
    resolveDone();
    const took = performance.now() - begun;
    const pauseFor = Math.max(2 * took, REDRAW_INTERVAL / (waiting.size + 1) - took);
    await pause(Math.min(pauseFor, MAX_PAUSE));
  }
  isDrawing = false;
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
