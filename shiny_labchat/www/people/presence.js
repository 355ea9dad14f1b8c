// @ts-check
import { make } from "../dom.js";
import { participantAvatar, assistantAvatar } from "./avatar.js";

/**
 * @typedef {import("../protocol.js").Person} Person
 * @typedef {{person: Person, isMe: boolean, comma: Text, name: HTMLElement, row: HTMLElement}} Shown
 */

/** Who is here: a summary line, and the full list on click. Drawing takes as long as what changes. */
export class Presence {
  #labels;
  #number = make("strong");
  #names = make("span");
  #summary = make("summary", {}, this.#number, " ", this.#names);
  #more = make("li");
  #list = make("ul", { class: "labchat-people" });
  #listeners = new AbortController();
  /** @type {Map<string, Shown>} */
  #shown = new Map();
  /** The handles of those who are shown, in order. @type {string[]} */
  #order = [];
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
   * Show these, and nobody else.
   *
   * @param {import("../protocol.js").Presence} presence
   * @param {string | null} me
   */
  show({ n, who }, me) {
    const here = new Set(who.map(([h]) => h));
    this.change({ t: "here", n, came: who, went: this.#order.filter((h) => !here.has(h)) }, me);
  }

  /**
   * Show what has changed.
   *
   * @param {import("../protocol.js").Here} here
   * @param {string | null} me
   */
  change({ n, came, went }, me) {
    for (const handle of went) this.#remove(handle);
    for (const person of came) this.#put(person, person[0] === me);
    this.count = n;
    this.element.hidden = n === 0;
    this.#number.replaceChildren(this.#labels.text("here", { n }));
    this.#showMore(n - this.#order.length);
  }

  /** @param {number} n how many are here who are not shown */
  #showMore(n) {
    if (n <= 0) return this.#more.remove();
    this.#more.replaceChildren(this.#labels.text("and_more", { n }));
    if (!this.#more.parentNode) this.#list.append(this.#more);
  }

  /** @param {Person} person @param {boolean} isMe */
  #put(person, isMe) {
    const [handle, name] = person;
    const before = this.#shown.get(handle);
    if (before && before.isMe === isMe && before.person.every((field, n) => field === person[n])) return;
    this.#remove(handle);
    const at = this.#placeOf(handle);
    const next = this.#shown.get(this.#order[at]);
    const comma = document.createTextNode("");
    const shownName = make("bdi", {}, isMe ? this.#labels.text("you") : (name ?? ""));
    const shown = { person, isMe, comma, name: make("span", {}, comma, shownName), row: this.#row(person, isMe) };
    this.#names.insertBefore(shown.name, next?.name ?? null);
    this.#list.insertBefore(shown.row, next?.row ?? (this.#more.parentNode ? this.#more : null));
    this.#order.splice(at, 0, handle);
    this.#shown.set(handle, shown);
    this.#separate(at);
  }

  /** @param {string} handle */
  #remove(handle) {
    const shown = this.#shown.get(handle);
    if (!shown) return;
    const at = this.#placeOf(handle);
    shown.name.remove();
    shown.row.remove();
    this.#shown.delete(handle);
    this.#order.splice(at, 1);
    this.#separate(at);
  }

  /** Put a comma before the name at a place and before the next, but not before the first. @param {number} at */
  #separate(at) {
    for (const handle of this.#order.slice(at, at + 2)) {
      const shown = this.#shown.get(handle);
      if (shown) shown.comma.data = handle === this.#order[0] ? "" : ", ";
    }
  }

  /** Where a handle is in the order, or is to be. @param {string} handle */
  #placeOf(handle) {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#order[middle] < handle) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {Person} person @param {boolean} isMe */
  #row([h, name, role], isMe) {
    const avatar = role === "assistant" ? assistantAvatar(null) : participantAvatar(h, name);
    const row = make("li", {}, avatar, make("bdi", {}, name ?? ""));
    const notes = [isMe ? this.#labels.text("you") : "", this.#roleName(role)].filter(Boolean);
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
