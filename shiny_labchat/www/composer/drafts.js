// @ts-check

/** What is longer is not kept: storing it would be felt while typing. In characters. */
const LONGEST = 50_000;
const KEEP_AFTER = 400;

/**
 * @typedef {{draft: string, waiting: [cid: string, text: string][]}} Words
 */

/**
 * What one person has not sent yet in one room: kept by the tab over reloads, for them alone.
 *
 * Who comes next in this tab never sees it: what is stored of somebody else is dropped.
 */
export class Unsent {
  #key;
  #collect;
  #who = "";
  #later = 0;
  /** What those have not sent who were here since the page was loaded. @type {Map<string, Words>} */
  #left = new Map();

  /**
   * @param {string} id of the chat
   * @param {() => Words} collect what is unsent now
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
  claim(who) {
    this.#who = who;
    const stored = this.#read();
    const left = this.#left.get(who) ?? (stored?.who === who ? stored : null);
    this.#left.delete(who);
    if (stored?.who !== who) this.#drop();
    return left;
  }

  /** They go, for now. */
  leave() {
    if (this.#who) this.#left.set(this.#who, this.#collect());
    this.#stop();
    this.#who = "";
  }

  /** It was a copy of another tab's. */
  disown() {
    this.#stop();
    this.#left.clear();
    this.#drop();
  }

  /** Keep it soon. */
  keepLater() {
    this.#later ||= window.setTimeout(() => this.keep(), KEEP_AFTER);
  }

  /** Keep it now. */
  keep() {
    this.#stop();
    if (!this.#who) return;
    const { draft, waiting } = this.#collect();
    const short = { draft: isShort(draft) ? draft : "", waiting: waiting.filter(([, text]) => isShort(text)) };
    if (short.draft || short.waiting.length) this.#write(JSON.stringify({ who: this.#who, ...short }));
    else this.#drop();
  }

  #stop() {
    clearTimeout(this.#later);
    this.#later = 0;
  }

  // ── storage, which may be blocked or full; then nothing is kept ─────────────────────────

  /** @returns {(Words & {who: string}) | null} */
  #read() {
    try {
      return JSON.parse(window.sessionStorage.getItem(this.#key) ?? "null");
    } catch {
      return null;
    }
  }

  /** @param {string} text */
  #write(text) {
    this.#drop(); // if the new does not fit, the old shall not be taken for it
    try {
      window.sessionStorage.setItem(this.#key, text);
    } catch {}
  }

  #drop() {
    try {
      window.sessionStorage.removeItem(this.#key);
    } catch {}
  }
}

/** @param {string} text */
function isShort(text) {
  return text.length <= LONGEST;
}
