// @ts-check
import { make } from "../dom.js";
import { webLink } from "./sanitize.js";

/**
 * @typedef {import("../protocol.js").Source} Source
 * @typedef {import("../protocol.js").WebPart} WebPart
 * @typedef {{id?: string, sources: HTMLElement, cited: Set<string>, hasResults: boolean}} Search
 */

/** What a model looked up on the web. None of it is loaded. */
export class Web {
  #labels;
  /** @type {Search[]} */
  #searches = [];
  #name = make("span", { class: "labchat-tool-name" });
  #topics = make("span", { class: "labchat-note", dir: "auto" });
  #list = make("ul");
  /** @type {Set<string>} */
  #cited = new Set();
  element = make("details", { class: "labchat-web" });
  ready = Promise.resolve();

  /** @param {import("./parts.js").DrawContext} context */
  constructor({ labels }) {
    this.#labels = labels;
    const mark = make("span", { class: "labchat-mark", "aria-hidden": "true" });
    this.#name.textContent = labels.text("web_sources");
    this.element.append(make("summary", {}, mark, this.#name, this.#topics), this.#list);
  }

  /** @param {WebPart} part */
  add([kind, found]) {
    if (kind === "web_search") this.#addSearch(found.query, found.id);
    else if (kind === "web_fetch") this.#addFetch(found.url, found.status === "error");
    else this.#addSources(found.sources, found.search_id, kind === "web_search_results");
  }

  drop() {}

  /**
   * @param {string} query
   * @param {string} [id]
   */
  #addSearch(query, id) {
    const sources = make("ul");
    this.#list.append(make("li", {}, make("q", { dir: "auto" }, query), sources));
    this.#searches.push({ id, sources, cited: new Set(), hasResults: false });
    this.#addTopic(query);
  }

  /**
   * @param {string} url
   * @param {boolean} isFailed
   */
  #addFetch(url, isFailed) {
    const row = make("li", {}, `${this.#labels.text("web_fetch")}: `, ...source({ url }));
    if (isFailed) row.append(" ", make("span", { class: "labchat-note" }, `(${this.#labels.text("tool_failed")})`));
    this.#list.append(row);
    if (!this.#searches.length) this.#addTopic(url);
  }

  /**
   * List sources. Cited ones are listed only where the search reported no results.
   *
   * @param {Source[]} sources
   * @param {string | undefined} id
   * @param {boolean} areResults
   */
  #addSources(sources, id, areResults) {
    const search = this.#searches.findLast((search) => id === undefined || search.id === id);
    const { sources: list, cited } = search ?? { sources: this.#list, cited: this.#cited };
    if (search && areResults) search.hasResults = true;
    else if (search?.hasResults) return;
    const fresh = sources.filter(({ url }) => !cited.has(url));
    for (const { url } of fresh) cited.add(url);
    list.append(...fresh.map((found) => make("li", {}, ...source(found))));
  }

  /** @param {string} topic */
  #addTopic(topic) {
    this.#name.textContent = this.#labels.text("web_search");
    this.#topics.append(this.#topics.textContent ? ` · ${topic}` : topic);
  }
}

/** @param {Source} source */
function source({ url, title, domain }) {
  const link = webLink(url);
  const name = make("bdi", {}, title || domain || url);
  if (!link) return [name];
  link.append(name);
  return title && domain ? [link, " ", make("bdi", { class: "labchat-note" }, domain)] : [link];
}
