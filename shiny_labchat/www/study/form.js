// @ts-check
import { make, mark } from "../dom.js";
import { flush, inputsIn, isKept, isMissing, setValue, valueOf } from "../page/inputs.js";
import { hearNotices, initialized, query } from "../page/shiny.js";
import { Draft, now } from "./draft.js";
import { Sending } from "./sending.js";

/**
 * @typedef {import("../page/inputs.js").Input} Input
 * @typedef {{missing_one: string, missing_many: string, needed: string, untouched: string, not_stored: string}} FormWords
 * @typedef {{id: string, cid: string, is: "stored" | "not_stored", say?: string}} FormNotice the session's answer
 */

/** What people do with an input. No click: to press its question is one, too. */
const USES = ["pointerdown", "keydown", "input", "change"];
/** Keys that lead from one input to the next. */
const PASSING = new Set(["Tab", "Shift", "Control", "Alt", "Meta", "Escape"]);
/** The question of an input: to press it answers nothing. */
const QUESTION = ".control-label";

/**
 * `<labchat-form data-kind="decision">`: Shiny's inputs, and a button that sends them together.
 *
 * The answers are the inputs' values, which Shiny sends; the button's event says that they are given.
 */
export class LabchatForm extends HTMLElement {
  #draft = new Draft([]);
  #sending = new Sending("", () => {});
  /** @type {Record<string, unknown>} */
  #initial = {};
  #shown = 0;
  /** @type {number | null} */
  #changed = null;
  /** The ids of the inputs that the person has used. @type {Set<string>} */
  #used = new Set();
  #isRestored = false;
  /** What is filled in is stored: it is not kept for the next form of this kind. */
  #isStored = false;
  #timer = 0;
  #listeners = new AbortController();

  connectedCallback() {
    const { study = "", kind = "", who = "" } = this.dataset;
    const { signal } = (this.#listeners = new AbortController());
    this.#draft = new Draft([study, kind, who]);
    this.#shown = this.#draft.read()?.shown ?? now();
    this.#sending = new Sending(this.id, () => this.#fail(this.#words.not_stored));
    this.#sending.open();
    this.addEventListener("input", () => this.#note(), { signal });
    this.addEventListener("change", () => this.#note(), { signal });
    this.addEventListener("click", (event) => this.#click(event), { signal });
    for (const use of USES) this.addEventListener(use, (event) => this.#use(event), { signal });
    query(this).on("change.labchat shiny:bound.labchat", () => this.#note());
    this.#showBusy();
    this.#note();
  }

  /** Moved in the page: nothing is to be done. */
  connectedMoveCallback() {}

  disconnectedCallback() {
    clearTimeout(this.#timer);
    query(this).off(".labchat");
    this.#listeners.abort();
    this.#sending.close();
    this.#isRestored = false;
  }

  /** Act on the session's answer. @param {FormNotice} notice */
  receive({ cid, is, say }) {
    if (!this.#sending.settle(cid, is === "stored")) return;
    this.#showBusy();
    if (is === "not_stored") return this.#fail(say ?? this.#words.not_stored);
    this.#draft.forget();
    this.#shown = now(); // if the app goes on to show it, what comes is another answer
    this.#changed = null;
    this.#used.clear();
    this.#initial = this.#values();
    this.#isStored = true;
  }

  /** @returns {FormWords} */
  get #words() {
    return JSON.parse(this.dataset.words ?? "{}");
  }

  /** Keep what is filled in; at first, fill in what was kept. */
  #note() {
    if (this.#isRestored) return this.#keep();
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#restore()); // when all inputs are bound
  }

  async #restore() {
    await initialized();
    const inputs = inputsIn(this);
    if (!this.isConnected || this.#isRestored) return;
    if (inputs.length === 0 && this.querySelector(".shiny-input-container")) return; // they come
    this.#isRestored = true;
    this.#initial = this.#values();
    const kept = this.#draft.read();
    this.#changed = kept?.changed ?? null;
    this.#used = new Set([...(kept?.used ?? []), ...this.#used]);
    for (const input of inputs) this.#fill(input, kept?.values ?? {});
    this.#keep();
  }

  /** @param {Input} input @param {Record<string, unknown>} values */
  #fill(input, values) {
    if (!Object.hasOwn(values, input.id)) return;
    if (JSON.stringify(values[input.id]) !== JSON.stringify(valueOf(input))) setValue(input, values[input.id]);
  }

  #keep() {
    const values = this.#values();
    if (Object.keys(values).length === 0) return; // browsers say that a box changes as it is taken away
    const isAsBefore = JSON.stringify(values) === JSON.stringify(this.#initial);
    if (this.#isStored && isAsBefore) return;
    this.#isStored = false;
    if (this.#changed === null && !isAsBefore) this.#changed = now();
    if (!this.#sending.isUnderWay) this.#clearFaults();
    const before = this.#draft.read()?.values; // also of inputs that are not shown now
    const used = [...this.#used];
    this.#draft.write({ values: { ...before, ...values }, shown: this.#shown, changed: this.#changed, used });
  }

  /** Note that the person uses an input, as opposed to a script that sets it. @param {Event} event */
  #use(event) {
    const { target } = event;
    const isMoving = event instanceof KeyboardEvent && PASSING.has(event.key);
    if (!event.isTrusted || isMoving || !(target instanceof Element) || target.closest(QUESTION)) return;
    const input = inputsIn(this).find((each) => boxOf(each).contains(target));
    if (!input || this.#used.has(input.id)) return;
    this.#used.add(input.id);
    this.#note();
  }

  /** Whether a person must still answer. @param {Input} input */
  #isOpen(input) {
    const { optional = "", touched = "" } = this.dataset;
    if (isAmong(input, optional)) return false;
    return isMissing(input) || this.#isUntouched(input, touched);
  }

  /** @param {Input} input @param {string} [ids] of those that must be used */
  #isUntouched(input, ids = this.dataset.touched ?? "") {
    return isAmong(input, ids) && !this.#used.has(input.id);
  }

  #values() {
    const kept = inputsIn(this).filter(isKept);
    return Object.fromEntries(kept.map((input) => [input.id, valueOf(input) ?? null]));
  }

  /** @param {Event} event */
  #click({ target }) {
    if (!(target instanceof Element) || !target.closest(".labchat-form-submit")) return;
    if (this.#sending.isUnderWay) return;
    const inputs = inputsIn(this);
    const missing = inputs.filter((input) => this.#isOpen(input));
    this.#markMissing(inputs, missing);
    if (missing.length) return this.#complain(missing);
    flush(inputs);
    const sent = now();
    const of = JSON.stringify(inputs.map(valueOf));
    const used = [...this.#used];
    const round = Number(this.dataset.round) || undefined;
    this.#sending.send({ shown: this.#shown, changed: this.#changed, sent, used, round }, of);
    this.#fail("");
    this.#showBusy();
  }

  /** @param {Input[]} missing */
  #complain(missing) {
    const { missing_one: one = "", missing_many: many = "" } = this.#words;
    this.#fail(missing.length === 1 ? one : many.replace("{n}", String(missing.length)));
    focusOn(missing[0]);
  }

  /** @param {Input[]} inputs @param {Input[]} missing */
  #markMissing(inputs, missing) {
    for (const input of inputs) this.#markInput(input, missing.includes(input));
  }

  /** Take the marks from what is answered now. */
  #clearFaults() {
    const marked = inputsIn(this).filter((input) => boxOf(input).classList.contains("labchat-missing"));
    const answered = marked.filter((input) => !this.#isOpen(input));
    for (const input of answered) this.#markInput(input, false);
    if (marked.length && marked.length === answered.length) this.#fail("");
  }

  /** @param {Input} input @param {boolean} isMissing */
  #markInput(input, isMissing) {
    const box = boxOf(input);
    const field = fieldOf(input);
    const id = `${input.id}-needed`;
    box.classList.toggle("labchat-missing", isMissing);
    box.querySelector(":scope > .labchat-needed")?.remove();
    mark(field, "aria-invalid", isMissing ? "true" : null);
    mark(field, "aria-describedby", isMissing ? id : null);
    const { needed, untouched } = this.#words;
    const words = this.#isUntouched(input) ? untouched : needed;
    if (isMissing) box.append(make("div", { class: "labchat-needed", id }, words));
  }

  /** Say what is wrong; "": nothing. @param {string} words */
  #fail(words) {
    this.#showBusy();
    this.querySelector(".labchat-alert")?.replaceChildren(words);
  }

  #showBusy() {
    const isBusy = this.#sending.isUnderWay;
    this.toggleAttribute("data-busy", isBusy);
    const button = this.querySelector(".labchat-form-submit");
    if (button) mark(button, "aria-disabled", isBusy ? "true" : null);
  }
}

/** @param {Input} input @param {string} ids with spaces between them */
function isAmong({ id }, ids) {
  return ids.split(" ").includes(id);
}

/** What an input is in, with its label. @param {Input} input */
function boxOf({ element }) {
  return /** @type {HTMLElement} */ (element.closest(".shiny-input-container") ?? element.parentElement ?? element);
}

/** What has the focus in an input. @param {Input} input */
function fieldOf({ element }) {
  const inner = "input, select, textarea, [tabindex]";
  const shown = element.parentElement?.querySelector(".selectize-input input");
  const first = element.matches(inner) ? element : (element.querySelector(inner) ?? element);
  return /** @type {HTMLElement} */ (shown ?? first);
}

/** @param {Input} input */
function focusOn(input) {
  boxOf(input).scrollIntoView({ block: "nearest" });
  fieldOf(input).focus({ preventScroll: true });
}

/** Give forms the session's answers. */
export function listenForForms() {
  hearNotices("form", (/** @type {FormNotice} */ notice) => {
    const form = document.getElementById(notice.id);
    if (form instanceof LabchatForm) form.receive(notice);
  });
}
