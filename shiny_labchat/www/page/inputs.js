// @ts-check
import { query, setInput } from "./shiny.js";

/**
 * The Shiny inputs in a part of the page, whatever their kind: their values, read and set.
 *
 * @typedef {{
 *   getId: (element: Element) => string,
 *   getType: (element: Element) => string | null | false,
 *   getValue: (element: Element) => unknown,
 *   setValue: (element: Element, value: unknown) => void,
 * }} Binding
 * @typedef {{id: string, element: HTMLElement, binding: Binding}} Input
 */

/** Not kept in the browser. */
const SECRET = 'input[type="password"]';
const FILE = 'input[type="file"]';
/** Their value is a click. */
const ACTION = ".action-button, .bslib-task-button";
/** Its value is read as a list, and set by two names. */
const DATE_RANGE = ".shiny-date-range-input";

/** What a slider of dates is set to, in milliseconds. */
const SLIDER_SCALES = {
  /** @param {unknown} day */
  date: (day) => Date.parse(String(day)),
  /** @param {unknown} seconds */
  datetime: (seconds) => Number(seconds) * 1000,
};

/** The inputs that Shiny has bound, in the order of the page. @param {Element} scope @returns {Input[]} */
export function inputsIn(scope) {
  const elements = [...scope.querySelectorAll(".shiny-bound-input")].filter((each) => !each.matches(ACTION));
  return elements.map((each) => {
    const element = /** @type {HTMLElement} */ (each);
    const binding = /** @type {Binding} */ (query(element).data("shiny-input-binding"));
    return { id: binding.getId(element), element, binding };
  });
}

/** @param {Input} input */
export function valueOf({ element, binding }) {
  return binding.getValue(element);
}

/** Set a value, and have it sent. @param {Input} input @param {unknown} value */
export function setValue({ element, binding }, value) {
  binding.setValue(element, settable(element, value));
  query(element).trigger("change");
}

/** A value as its binding sets it, which for dates is not as it is read. @param {HTMLElement} element @param {unknown} value */
function settable(element, value) {
  if (element.matches(DATE_RANGE) && Array.isArray(value)) return { start: value[0], end: value[1] };
  const scale = SLIDER_SCALES[/** @type {keyof typeof SLIDER_SCALES} */ (element.dataset.dataType)];
  if (!scale) return value;
  return Array.isArray(value) ? value.map(scale) : scale(value);
}

/**
 * Send the values of all inputs that have not been sent yet, at once: Shiny waits a little with those of sliders
 * and text boxes, and would send them after what follows.
 *
 * @param {Input[]} inputs
 */
export function flush(inputs) {
  for (const input of inputs) {
    if (input.element.matches(FILE)) continue; // it is sent as it is chosen
    const type = input.binding.getType(input.element);
    setInput(type ? `${input.id}:${type}` : input.id, valueOf(input));
  }
}

/** Whether a person has given no answer. Of several choices, none is an answer. @param {Input} input */
export function isMissing(input) {
  const value = valueOf(input);
  const values = Array.isArray(value) ? value : [value];
  return values.some((each) => String(each ?? "").trim() === "");
}

/** Whether a value may be kept in the browser. @param {Input} input */
export function isKept({ element }) {
  return !element.matches(SECRET) && !element.querySelector(SECRET);
}
