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

/** Where drafts are kept, before the names. */
const PREFIX = "labchat-form-";

/** Studies whose drafts are kept no longer. @type {Set<string>} */
const forgotten = new Set();

/** One form's draft. */
export class Draft {
  #name;
  #study;

  /** @param {string[]} names the study, the kind of form, and whose it is */
  constructor(names) {
    this.#name = PREFIX + JSON.stringify(names);
    this.#study = names[0];
  }

  /** @returns {Kept | null} */
  read() {
    const text = notStored.get(this.#name) ?? stored(this.#name);
    return text === null ? null : JSON.parse(text);
  }

  /** @param {Kept} kept */
  write(kept) {
    if (forgotten.has(this.#study)) return;
    const text = JSON.stringify(kept);
    try {
      sessionStorage.setItem(this.#name, text);
      notStored.delete(this.#name);
    } catch {
      notStored.set(this.#name, text);
    }
  }

  forget() {
    forget(this.#name);
  }
}

/** Delete what was filled in for a study, and keep no more of it. @param {string} study */
export function forgetDrafts(study) {
  forgotten.add(study);
  const names = [...notStored.keys(), ...storedNames()];
  for (const name of names.filter((each) => isOf(each, study))) forget(name);
}

/** @param {string} name @param {string} study */
function isOf(name, study) {
  return name.startsWith(`${PREFIX}[${JSON.stringify(study)},`);
}

function storedNames() {
  try {
    return Object.keys(sessionStorage);
  } catch {
    return [];
  }
}

/** @param {string} name */
function forget(name) {
  notStored.delete(name);
  try {
    sessionStorage.removeItem(name);
  } catch {
    // nothing is stored there
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
