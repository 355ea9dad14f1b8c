// @ts-check

/**
 * What a person has filled in of a form, and when: kept in this tab until it is stored.
 *
 * @typedef {{values: Record<string, unknown>, shown: number, changed: number | null, used: string[]}} Kept
 *   shown, changed: in milliseconds since 1970, by this browser's clock as it was when the page was opened;
 *   used: the ids of the inputs that the person has used
 */

/** In milliseconds since 1970; setting the clock while the page is open does not change it. */
export function now() {
  return Math.round(performance.timeOrigin + performance.now());
}

/** Where the browser stores nothing: kept until the page is loaded anew. @type {Map<string, string>} */
const notStored = new Map();

/** One form's draft. */
export class Draft {
  #name;

  /** @param {string[]} names the study, the kind of form, and whose it is */
  constructor(names) {
    this.#name = `labchat-form-${JSON.stringify(names)}`;
  }

  /** @returns {Kept | null} */
  read() {
    const text = notStored.get(this.#name) ?? stored(this.#name);
    return text === null ? null : JSON.parse(text);
  }

  /** @param {Kept} kept */
  write(kept) {
    const text = JSON.stringify(kept);
    try {
      sessionStorage.setItem(this.#name, text);
      notStored.delete(this.#name);
    } catch {
      notStored.set(this.#name, text);
    }
  }

  forget() {
    notStored.delete(this.#name);
    try {
      sessionStorage.removeItem(this.#name);
    } catch {
      // nothing is stored there
    }
  }
}

/** @param {string} name */
function stored(name) {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}
