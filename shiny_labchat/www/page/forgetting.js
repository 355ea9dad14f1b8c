// @ts-check

/** @type {Set<() => void>} */
const listeners = new Set();

/**
 * Call a function when the page has to forget what its person has said.
 *
 * @param {() => void} forget
 * @param {AbortSignal} [signal] ends this
 */
export function whenForgotten(forget, signal) {
  listeners.add(forget);
  signal?.addEventListener("abort", () => listeners.delete(forget));
}

/** Have all parts of the page forget what its person has said: their data are deleted. */
export function forgetPerson() {
  for (const forget of [...listeners]) forget();
}
