// @ts-check
import { make } from "../dom.js";
import { participantAvatar, assistantAvatar } from "./avatar.js";

/** Who is here: a summary line, and the full list on click. */
export class Presence {
  #labels;
  #summary = make("summary");
  #list = make("ul", { class: "labchat-people" });
  #listeners = new AbortController();
  element = make("details", { class: "labchat-presence", hidden: true }, this.#summary, this.#list);
  count = 0;

  /** @param {import("../labels.js").Labels} labels */
  constructor(labels) {
    this.#labels = labels;
  }

  listen() {
    const { signal } = (this.#listeners = new AbortController());
    document.addEventListener("pointerdown", ({ target }) => this.#closeUnless(target), { signal });
    this.element.addEventListener("keydown", (event) => this.#onKey(event), { signal });
  }

  unlisten() {
    this.#listeners.abort();
  }

  /**
   * @param {import("../protocol.js").Presence} presence
   * @param {string | null} me
   */
  show({ n, who }, me) {
    this.count = n;
    this.element.hidden = n === 0;
    const names = who.map(([h, name]) => make("bdi", {}, h === me ? this.#labels.text("you") : (name ?? "")));
    this.#summary.replaceChildren(make("strong", {}, this.#labels.text("here", { n })), " ", ...withCommas(names));
    this.#list.replaceChildren(...who.map((person) => this.#row(person, me)));
    if (n > who.length) this.#list.append(make("li", {}, this.#labels.text("and_more", { n: n - who.length })));
  }

  /**
   * @param {[string, string | null, string]} person
   * @param {string | null} me
   */
  #row([h, name, role], me) {
    const avatar = role === "assistant" ? assistantAvatar(null) : participantAvatar(h, name);
    const row = make("li", {}, avatar, make("bdi", {}, name ?? ""));
    const notes = [h === me ? this.#labels.text("you") : "", this.#roleName(role)].filter(Boolean);
    if (notes.length) row.append(" ", make("span", { class: "labchat-note" }, `(${notes.join(", ")})`));
    return row;
  }

  /** @param {string} role */
  #roleName(role) {
    const label = `role_${role}`;
    return this.#labels.has(label) ? this.#labels.text(/** @type {any} */ (label)) : "";
  }

  /** @param {EventTarget | null} target */
  #closeUnless(target) {
    if (!(target instanceof Node && this.element.contains(target))) this.element.open = false;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key !== "Escape" || !this.element.open) return;
    this.element.open = false;
    this.#summary.focus();
  }
}

/** @param {Node[]} nodes */
function withCommas(nodes) {
  return nodes.flatMap((node, at) => (at ? [", ", node] : [node]));
}
