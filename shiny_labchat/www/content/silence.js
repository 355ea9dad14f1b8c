// @ts-check

/** How long a screen reader may take to notice a change, in milliseconds. */
const SILENT_FOR = 500;

/**
 * Draw what an element says in another form. If it is in the page, screen readers have read it already.
 *
 * @param {Element} element
 * @param {() => void} draw
 */
export function replaceSilently(element, draw) {
  if (!element.isConnected) return draw();
  element.setAttribute("aria-live", "off");
  draw();
  setTimeout(() => element.removeAttribute("aria-live"), SILENT_FOR);
}
