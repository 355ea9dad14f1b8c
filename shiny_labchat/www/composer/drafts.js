// @ts-check

/** Longer texts are not stored, as that would slow typing down; in characters. */
const MAX_STORED_LENGTH = 50_000;
/** In milliseconds. */
const SAVE_DELAY = 400;
/** Where drafts are kept, before the chat's id. */
const PREFIX = "labchat-unsent-";

/**
 * @typedef {import("../protocol.js").Typed} Typed
 * @typedef {{draft: string, typed?: Typed | null, waiting: [cid: string, text: string, typed?: Typed | null][]}} Unsent
 *   typed: how it was written
 */

/**
 * What one person has not sent yet in one room. The tab keeps it over reloads.
 *
 * The next person in the same tab never sees it: what is stored for somebody else is deleted.
 */
export class Drafts {
  #key;
  #collect;
  #who = "";
  #timer = 0;
  /** The unsent texts of earlier people in this page, by person. @type {Map<string, Unsent>} */
  #setAside = new Map();

  /**
   * @param {string} id of the chat
   * @param {() => Unsent} collect returns what is unsent now
   */
  constructor(id, collect) {
    this.#key = PREFIX + id;
    this.#collect = collect;
  }

  /** The person whose drafts these are. */
  get who() {
    return this.#who;
  }

  /** Change to this person, and return what they had left unsent. @param {string} who differs by room */
  switchTo(who) {
    this.#who = who;
    const stored = this.#read();
    const earlier = this.#setAside.get(who) ?? (stored?.who === who ? stored : null);
    this.#setAside.delete(who);
    if (stored?.who !== who) this.#remove();
    return earlier;
  }

  /** Keep this person's unsent text until they return. */
  setAside() {
    if (this.#who) this.#setAside.set(this.#who, this.#collect());
    this.#clearTimer();
    this.#who = "";
  }

  /** Delete everything: it was a copy of another tab's. */
  discard() {
    this.#clearTimer();
    this.#setAside.clear();
    this.#remove();
  }

  /** Save within `SAVE_DELAY`. */
  saveLater() {
    this.#timer ||= window.setTimeout(() => this.save(), SAVE_DELAY);
  }

  /** Save now. */
  save() {
    this.#clearTimer();
    if (!this.#who) return;
    const { draft, typed, waiting } = this.#collect();
    const kept = isShort(draft) ? { draft, typed } : { draft: "" };
    const stored = { ...kept, waiting: waiting.filter(([, text]) => isShort(text)) };
    if (stored.draft || stored.waiting.length) this.#write(JSON.stringify({ who: this.#who, ...stored }));
    else this.#remove();
  }

  #clearTimer() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  // ── storage: may be blocked or full, then nothing is stored ─────────────────────────────

  /** @returns {(Unsent & {who: string}) | null} */
  #read() {
    try {
      return JSON.parse(window.sessionStorage.getItem(this.#key) ?? "null");
    } catch {
      return null;
    }
  }

  /** @param {string} text */
  #write(text) {
    this.#remove(); // if the new text does not fit, the old one must not be taken for it
    try {
      window.sessionStorage.setItem(this.#key, text);
    } catch {}
  }

  #remove() {
    try {
      window.sessionStorage.removeItem(this.#key);
    } catch {}
  }
}

/** Delete what the tab keeps of all chats: one that is in the page no more cannot delete its own. */
export function deleteStoredDrafts() {
  try {
    const names = Object.keys(window.sessionStorage).filter((name) => name.startsWith(PREFIX));
    for (const name of names) window.sessionStorage.removeItem(name);
  } catch {}
}

/** @param {string} text */
function isShort(text) {
  return text.length <= MAX_STORED_LENGTH;
}
