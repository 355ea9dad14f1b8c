// @ts-check

/**
 * @typedef {import("./parts.js").DrawContext} DrawContext
 * @typedef {import("./draw_queue.js").Drawable} Drawable
 */

/**
 * A context for parts inside a `<details>`: they are drawn once somebody opens it.
 *
 * @param {HTMLDetailsElement} details
 * @param {DrawContext} context
 * @returns {DrawContext}
 */
export function drawnWhenOpen(details, context) {
  /** @type {Set<Drawable>} */
  const pending = new Set();
  const opened = new Promise((resolve) => {
    const drawIfOpen = () => {
      if (!details.open) return;
      for (const part of pending) void context.draw(part);
      pending.clear();
      resolve(undefined);
    };
    details.addEventListener("toggle", drawIfOpen);
    drawIfOpen(); // it may be open already
  });
  /** @param {Drawable} part */
  const draw = (part) => {
    if (details.open) return context.draw(part);
    pending.add(part);
    return Promise.resolve();
  };
  return { ...context, draw, inPage: opened.then(() => context.inPage) };
}
