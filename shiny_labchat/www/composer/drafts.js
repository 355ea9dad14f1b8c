// @ts-check

/** What is longer is not kept: storing it would be felt while typing. In characters. */
const MAX_STORED_LENGTH = 50_000;
const SAVE_DELAY = 400;

/**
 * @typedef {{draft: string, waiting: [cid: string, text: string][]}} Unsent
 */

/**
 * What one person has not sent yet in one room: kept by the tab over reloads, for them alone.
 *
 * Who comes next in this tab never sees it: what is stored of somebody else is dropped.
 */
export class Drafts {
  #key;
  #collect;
  #who = "";
  #timer = 0;
  /** What those have not sent who were here since the page was loaded. @type {Map<string, Unsent>} */
  #setAside = new Map();

  /**
   * @param {string} id of the chat
   * @param {() => Unsent} collect what is unsent now
   */
  constructor(id, collect) {
    this.#key = `labchat-unsent-${id}`;
    this.#collect = collect;
  }

  /** Whose it is. */
  get who() {
    return this.#who;
  }

  /** It is this person's from now on; returns what they had left. @param {string} who another for each room */
  switchTo(who) {
    this.#who = who;
    const stored = this.#read();
    const earlier = this.#setAside.get(who) ?? (stored?.who === who ? stored : null);
    this.#setAside.delete(who);
    if (stored?.who !== who) this.#remove();
    return earlier;
  }

  /** They go, for now. */
  setAside() {
    if (this.#who) this.#setAside.set(this.#who, this.#collect());
    this.#clearTimer();
    this.#who = "";
  }

  /** It was a copy of another tab's. */
  discard() {
    this.#clearTimer();
    this.#setAside.clear();
    this.#remove();
  }

  /** Keep it soon. */
  saveLater() {
    this.#timer ||= window.setTimeout(() => this.save(), SAVE_DELAY);
  }

  /** Keep it now. */
  save() {
    this.#clearTimer();
    if (!this.#who) return;
    const { draft, waiting } = this.#collect();
    const stored = { draft: isShort(draft) ? draft : "", waiting: waiting.filter(([, text]) => isShort(text)) };
    if (stored.draft || stored.waiting.length) this.#write(JSON.stringify({ who: this.#who, ...stored }));
    else this.#remove();
  }

  #clearTimer() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  // ── storage, which may be blocked or full; then nothing is kept ─────────────────────────

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
    this.#remove(); // if the new does not fit, the old shall not be taken for it
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

/** @param {string} text */
function isShort(text) {
  return text.length <= MAX_STORED_LENGTH;
}
