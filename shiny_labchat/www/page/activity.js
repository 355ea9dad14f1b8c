// @ts-check

/**
 * Notes when the person last did something in this page, and since when it is hidden.
 *
 * Listeners note times only, and the rest is computed when the server asks: browsers slow down the
 * timers of hidden pages. The times are of a clock that nobody sets.
 */

const ACTS = ["keydown", "pointerdown", "pointermove", "wheel", "touchstart", "input"];

let activeAt = performance.now(); // they have opened the page
/** @type {number | null} */
let hiddenAt = document.hidden ? performance.now() : null;

/** For how long the page has been hidden (0: it is not), and the person has done nothing, in milliseconds. */
export function activity() {
  const now = performance.now();
  return {
    hidden: hiddenAt === null ? 0 : Math.max(1, Math.round(now - hiddenAt)),
    quiet: Math.max(0, Math.round(now - activeAt)),
  };
}

/** @param {Event} event */
function note(event) {
  if (!event.isTrusted) return; // a script has made it
  if (event instanceof PointerEvent && event.type === "pointermove" && !event.movementX && !event.movementY) return; // the page has moved, under a pointer at rest
  activeAt = performance.now();
}

for (const act of ACTS) window.addEventListener(act, note, { capture: true, passive: true });
document.addEventListener("visibilitychange", () => {
  hiddenAt = document.hidden ? performance.now() : null;
  if (!document.hidden) activeAt = performance.now();
});
