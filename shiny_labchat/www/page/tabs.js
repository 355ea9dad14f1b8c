// @ts-check
import { PAGE_ID } from "./identity.js";

/**
 * Detects a duplicated tab.
 *
 * Duplicating a tab copies its sessionStorage, and with it the person's key. A new tab therefore asks
 * the others whether one of them has that key; the oldest tab keeps it.
 */
export class DuplicateWatch {
  #channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("labchat") : null;
  #loadedAt = performance.timeOrigin;
  #ownKey;

  /**
   * @param {() => string | null} ownKey this tab's key
   * @param {(key: string) => void} onTaken an older tab has this key
   */
  constructor(ownKey, onTaken) {
    this.#ownKey = ownKey;
    this.#channel?.addEventListener("message", ({ data }) => {
      if (data.taken === PAGE_ID) onTaken(data.key);
      else if (this.#isLater(data)) this.#channel?.postMessage({ taken: data.page, key: data.key });
    });
    if (ownKey()) this.#channel?.postMessage({ key: ownKey(), page: PAGE_ID, since: this.#loadedAt });
  }

  close() {
    this.#channel?.close();
  }

  /** @param {{key?: string, page?: string, since?: number}} claim */
  #isLater({ key, page, since = 0 }) {
    if (!key || key !== this.#ownKey() || page === PAGE_ID) return false;
    return since > this.#loadedAt || (since === this.#loadedAt && String(page) > PAGE_ID);
  }
}
