// @ts-check

/**
 * Draws growing parts, one at a time over the whole page, for at most a third of the time, however
 * many answers are streamed and however long they are.
 *
 * @typedef {{draw: () => Promise<void>}} Drawable draw: draws its newest state
 */

/** The shortest time between two drawings of a part, in milliseconds. */
const REDRAW_INTERVAL = 60;
/** The longest pause after a drawing, in milliseconds. */
const MAX_PAUSE = 1000;

/** @type {Map<Drawable, {done: Promise<void>, resolveDone: () => void}>} */
const waiting = new Map();
let isDrawing = false;

/**
 * Draw a part in its turn.
 *
 * @param {Drawable} part
 * @returns {Promise<void>} resolves when this state of it, or a newer one, is drawn
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
  // the loop also reaches what is enqueued meanwhile, as a Map keeps the order of insertion
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
