// @ts-check
import { hearOf, loadAll } from "../page/shiny.js";

/**
 * shinychat's element for markdown. It is large, so it is loaded when the first markdown is to be shown,
 * or when the page has had time for everything else.
 *
 * @typedef {{name: string, script: {src: string}[], stylesheet: object[]}} Dependency
 */

const RENDERER = "shiny-markdown-stream";
/** How long one text may take to be rendered, in milliseconds. */
const RENDER_TIMEOUT = 5000;
/** How long texts wait for the renderer before they are shown as they are written, in milliseconds. */
const LATE_AFTER = 400;
/** How long after the room is there the renderer is loaded if nobody has needed it, in milliseconds. */
const IDLE_AFTER = 2000;
/** Pauses before it is tried again to load the renderer, in milliseconds. */
const RETRY_DELAYS = [2000, 10_000, 60_000];

/** @type {(deps: Dependency[]) => void} */
let setDependencies = () => {};
/** What is to be loaded; the session says it. @type {Promise<Dependency[]>} */
const dependencies = new Promise((resolve) => (setDependencies = resolve));
/** @type {Promise<void> | null} */
let loading = null;
/** @type {Promise<void> | null} */
let lateness = null;

/** Hear from the session what is to be loaded. */
export function listenForRenderer() {
  hearOf("labchat_renderer", (/** @type {{deps: Dependency[]}} */ { deps }) => setDependencies(deps));
}

/** Load the renderer when the page has nothing else to do. */
export function loadRendererWhenIdle() {
  const load = () => void loadRenderer();
  setTimeout(() => ("requestIdleCallback" in window ? requestIdleCallback(load) : load()), IDLE_AFTER);
}

/** Load the renderer, if it is not there or on its way; resolves when it is there. */
export function loadRenderer() {
  loading ??= isLoaded() ? Promise.resolve() : load();
  return loading;
}

/**
 * Whether the renderer is there, or comes within a moment; starts loading it.
 *
 * That moment is over for all texts at the same time, so that only the first ones wait.
 */
export async function hasRenderer() {
  if (isLoaded()) return true;
  lateness ??= pause(LATE_AFTER);
  await Promise.race([loadRenderer(), lateness]);
  return isLoaded();
}

/** shinychat's element for markdown, with a text in it. @param {string} markdown */
export function rendererOf(markdown) {
  const renderer = document.createElement(RENDERER);
  renderer.setAttribute("content", markdown);
  renderer.setAttribute("content-type", "markdown");
  return renderer;
}

/**
 * Render markdown where nothing is loaded and nothing runs, and read what was drawn.
 *
 * The renderer keeps raw HTML: remote images, styles, frames, even scripts, which React moves into the
 * head. So it draws into a document of its own.
 *
 * @template T
 * @param {string} markdown
 * @param {(rendered: Element) => T} read called with what was drawn, which is gone afterwards
 * @returns {Promise<T | null>} null if it cannot be rendered
 */
export async function rendered(markdown, read) {
  await loadRenderer();
  const renderer = rendererOf(markdown);
  const isDrawn = await hasDrawn(renderer, document.implementation.createHTMLDocument("").body);
  const result = isDrawn ? read(renderer) : null;
  renderer.remove();
  return result;
}

/**
 * Put a renderer into a place, and wait until it has drawn.
 *
 * @param {Element} renderer
 * @param {Element} place
 * @returns {Promise<boolean>} false if it does not draw
 */
export function hasDrawn(renderer, place) {
  return new Promise((resolve) => {
    const observer = new MutationObserver(() => finish(true));
    const timer = setTimeout(() => finish(false), RENDER_TIMEOUT);
    /** @param {boolean} isDrawn */
    const finish = (isDrawn) => {
      observer.disconnect();
      clearTimeout(timer);
      resolve(isDrawn);
    };
    observer.observe(renderer, { childList: true });
    place.append(renderer);
  });
}

function isLoaded() {
  return customElements.get(RENDERER) !== undefined;
}

async function load() {
  const deps = await dependencies;
  const isOthers = deps.some(isInPage); // then the app has put it there, and it is on its way
  await loadAll(deps);
  for (const delay of isOthers ? [] : RETRY_DELAYS) {
    if (isLoaded()) return;
    await pause(delay);
    await loadAll(deps.map((dep) => again(dep, delay)));
  }
  await customElements.whenDefined(RENDERER);
}

/** Whether a script of a dependency is in the page. @param {Dependency} dep */
function isInPage({ script }) {
  const addresses = script.map(({ src }) => new URL(src, document.baseURI).href);
  return [...document.scripts].some(({ src }) => addresses.includes(src));
}

/**
 * A dependency whose scripts could not be loaded. Shiny loads nothing twice under one name, nor does a
 * browser load a module again that has failed.
 *
 * @param {Dependency} dep
 * @param {number} attempt
 * @returns {Dependency}
 */
function again({ name, script, ...rest }, attempt) {
  const scripts = script.map(({ src, ...attributes }) => ({ ...attributes, src: `${src}?again=${attempt}` }));
  return { ...rest, name: `${name}-again-${attempt}`, script: scripts, stylesheet: [] };
}

/** @param {number} milliseconds @returns {Promise<void>} */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
