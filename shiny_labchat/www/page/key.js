// @ts-check

/** What a key looks like; another answer is not the server's. */
const KEY = /^[\w.-]{20,128}$/;
/** After so many failures the server is told that the page has no key; it goes on trying. */
const MAX_FAILURES = 3;
/** In milliseconds. */
const RETRY_DELAY = 1000;
const MAX_RETRY_DELAY = 15_000;

/** null: not fetched yet; empty: it cannot be fetched. @type {string | null} */
let key = null;
let isFetching = false;
let fetchedAt = -Infinity;

/** The key by which the server knows its own pages: a page of another site cannot read it. */
export function pageKey() {
  return key;
}

/** Fetch a key, and call back when there is a new one. @param {() => void} onChange */
export async function fetchKey(onChange) {
  if (isFetching || window.origin === "null") return; // a page without an origin may read nothing
  isFetching = true;
  await pause(fetchedAt + RETRY_DELAY - performance.now()); // the server may refuse this one, too
  for (let failures = 0; isFetching; failures += 1) {
    const fetched = await tryToFetch();
    isFetching = fetched === null;
    if (fetched !== null || failures + 1 === MAX_FAILURES) {
      key = fetched ?? "";
      onChange();
    }
    if (isFetching) await pause(Math.min(MAX_RETRY_DELAY, RETRY_DELAY * 2 ** failures));
  }
  fetchedAt = performance.now();
}

/** @param {number} delay in milliseconds @returns {Promise<void>} */
function pause(delay) {
  return delay > 0 ? new Promise((done) => window.setTimeout(done, delay)) : Promise.resolve();
}

async function tryToFetch() {
  try {
    const address = new URL("labchat/key", document.baseURI);
    const response = await fetch(address, { mode: "same-origin", cache: "no-store" });
    const text = await response.text();
    return response.ok && KEY.test(text) ? text : null;
  } catch {
    return null;
  }
}
