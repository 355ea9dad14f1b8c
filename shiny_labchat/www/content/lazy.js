// @ts-check

/**
 * @typedef {import("./parts.js").Scene} Scene
 * @typedef {import("./draw_queue.js").Drawable} Drawable
 */

/**
 * A scene inside of details: what takes time is drawn once somebody unfolds them.
 *
 * @param {HTMLDetailsElement} details
 * @param {Scene} scene
 * @returns {Scene}
 */
export function whenUnfolded(details, scene) {
  /** @type {Set<Drawable>} */
  const late = new Set();
  const unfolded = new Promise((resolve) => {
    const look = () => {
      if (!details.open) return;
      for (const part of late) void scene.draw(part);
      late.clear();
      resolve(undefined);
    };
    details.addEventListener("toggle", look);
    look(); // it may be unfolded already
  });
  /** @param {Drawable} part */
  const draw = (part) => {
    if (details.open) return scene.draw(part);
    late.add(part);
    return Promise.resolve();
  };
  return { ...scene, draw, inPage: unfolded.then(() => scene.inPage) };
}
