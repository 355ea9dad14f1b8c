// @ts-check

/** 128 random bits in hex; `crypto.randomUUID` is missing on plain http. */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The id of this load of the page; a reload gets another. */
export const PAGE_ID = randomId();

/** Keys that the browser would not store: kept until reload, for all rooms of the page. @type {Map<string, string>} */
const notStored = new Map();

/**
 * The random keys by which the server recognises a browser and a tab. The server decides which of
 * the two identifies the person.
 */
export class Keys {
  #tab;

  /** @param {string | undefined} person distinguishes several people in one tab */
  constructor(person) {
    this.#tab = person ? `labchat-${person}` : "labchat";
  }

  get browser() {
    return readOrCreate("localStorage", "labchat");
  }

  get tab() {
    return readOrCreate("sessionStorage", this.#tab);
  }

  /** Make a new key for this tab: another tab has this one. @param {string} taken */
  renewTab(taken) {
    if (this.tab === taken) write("sessionStorage", this.#tab, randomId()); // once for all rooms of the page
  }
}

/** @typedef {"localStorage" | "sessionStorage"} Store either may be blocked: private mode, third-party frame */

/**
 * @param {Store} store
 * @param {string} name
 */
function readOrCreate(store, name) {
  return read(store, name) ?? write(store, name, randomId());
}

/**
 * @param {Store} store
 * @param {string} name
 * @returns {string | null}
 */
function read(store, name) {
  try {
    return notStored.get(store + name) ?? window[store].getItem(name);
  } catch {
    return null;
  }
}

/**
 * @param {Store} store
 * @param {string} name
 * @param {string} key
 */
function write(store, name, key) {
  try {
    window[store].setItem(name, key);
  } catch {
    notStored.set(store + name, key);
  }
  return key;
}
