// @ts-check
import { PAGE } from "./identity.js";

/**
 * Duplicating a tab copies its sessionStorage, and so the person in it. A tab therefore asks the
 * others whether one of them already is that person; the one that was there first stays.
 */
export class DuplicateWatch {
  #channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("labchat") : null;
  #since = performance.timeOrigin;
  #mine;

  /**
   * @param {() => string | null} mine this tab's key
   * @param {(key: string) => void} onTaken another tab was this person first
   */
  constructor(mine, onTaken) {
    this.#mine = mine;
    this.#channel?.addEventListener("message", ({ data }) => {
      if (data.taken === PAGE) onTaken(data.key);
      else if (this.#isSecond(data)) this.#channel?.postMessage({ taken: data.page, key: data.key });
    });
    if (mine()) this.#channel?.postMessage({ key: mine(), page: PAGE, since: this.#since });
  }

  close() {
    this.#channel?.close();
  }

  /** @param {{key?: string, page?: string, since?: number}} claim */
  #isSecond({ key, page, since = 0 }) {
    if (!key || key !== this.#mine() || page === PAGE) return false;
    return since > this.#since || (since === this.#since && String(page) > PAGE);
  }
}
