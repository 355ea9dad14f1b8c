// @ts-check

/**
 * Make an element. An attribute that is `false` or null is left out; `true` becomes the empty value.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) mark(made, name, value);
  made.append(...children);
  return made;
}

/**
 * Set one attribute, or remove it (`false` or null).
 *
 * @param {Element} element
 * @param {string} name
 * @param {string | number | boolean | null | undefined} value
 */
export function mark(element, name, value) {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/**
 * Parse a developer's HTML. Never use it for what a participant or a model wrote.
 *
 * @param {string} html
 * @returns {DocumentFragment}
 */
export function trusted(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const fragment = document.createDocumentFragment();
  fragment.append(...parsed.body.childNodes);
  return fragment;
}

/** The language of an element's text, where the page states one. @param {Element} element */
export function languageOf(element) {
  return element.closest("[lang]")?.getAttribute("lang") || undefined;
}
