// @ts-check
import { make, mark, trusted } from "../dom.js";
import { Attention } from "./attention.js";
import { Clock } from "./clock.js";
import { completionCode } from "./completion_code.js";
import { Consent } from "./consent.js";
import { ask } from "./dialog.js";
import { receiptCode } from "./receipt.js";
import { stopButton } from "./stop.js";

/**
 * @typedef {import("../protocol.js").Screen} Screen
 * @typedef {import("../protocol.js").ScreenButton} ScreenButton
 * @typedef {import("./study.js").Study} Study
 * @typedef {Partial<Record<"reconnecting" | "reload", string>>} PageWords what the page says of itself
 * @typedef {[part: string, of: (screen: Screen) => unknown, build: (screen: Screen) => Node | null | undefined]} Part
 *   of: what it is drawn from
 */

/** Where a person has to act soon: a key answers at once. */
const URGENT = ["ready", "idle"];

/** The longest line that is sent, in characters: the server says what is too long for it. */
const LONGEST = 200;

let made = 0;

/** Draws what a study shows a person. What has not changed stays as it is, with the focus in it. */
export class ScreenView {
  #study;
  #words;
  #prefix;
  #clock;
  /** @type {HTMLInputElement | null} */
  #field = null;
  /** @type {Consent | null} */
  #consent = null;
  /** @type {Map<string, {slot: HTMLElement, from: string}>} */
  #slots = new Map();
  #is = "";
  #said = make("div", { class: "visually-hidden", role: "status" });
  #alert = make("div", { class: "labchat-alert", role: "alert" });
  #link = make("p", { class: "labchat-study-link-state", role: "status" });
  #body = make("div", { class: "labchat-study-body" });
  /** @type {Part[]} */
  #parts = [
    ["title", ({ title }) => title, ({ title }) => this.#heading(title)],
    ["html", ({ html }) => html, ({ html }) => prose(html)],
    ["lines", ({ lines }) => lines, ({ lines }) => paragraphs(lines)],
    ["clock", () => "", () => this.#clock.element],
    ["debrief", ({ debrief }) => debrief, (screen) => this.#debrief(screen)],
    ["items", ({ items, needed, version }) => [items, needed, version], (screen) => this.#items(screen)],
    ["field", ({ field }) => field, (screen) => this.#line(screen)],
    ["code", ({ code }) => code, ({ code }) => code && completionCode(code)],
    ["receipt", ({ receipt }) => receipt, ({ receipt }) => receipt && receiptCode(receipt)],
    ["buttons", ({ buttons, link }) => [buttons, link], (screen) => this.#buttons(screen)],
    ["notify", ({ notify }) => notify, ({ notify }) => notifyButton(notify)],
    ["contact", ({ contact }) => contact, ({ contact }) => quiet(contact)],
    ["stop", ({ stop }) => stop, ({ stop }) => stop && stopButton(stop, this.#study)],
  ];
  #foot = make("div", { class: "labchat-study-below" });
  element = make("div", { class: "labchat-study-view" }, this.#link, this.#body, this.#foot, this.#said);

  /** @param {Study} study @param {PageWords} words */
  constructor(study, words) {
    made += 1;
    this.#study = study;
    this.#words = words;
    this.#prefix = `labchat-study-${made}`;
    this.#clock = new Clock(() => study.words);
    for (const [part] of this.#parts) {
      const slot = make("div", { "data-part": part });
      this.#slots.set(part, { slot, from: "" });
      (part === "stop" ? this.#foot : this.#body).append(slot);
      if (part === "field") this.#body.append(this.#alert);
    }
  }

  /** @param {import("./study.js").Shown} shown */
  draw({ screen, receivedAt }) {
    const isOther = screen.is !== this.#is;
    const isFirst = this.#is === "";
    const hadFocus = this.element.contains(document.activeElement);
    const before = this.#text;
    this.#is = screen.is;
    this.element.dataset.is = screen.is;
    if (isOther) this.#alert.replaceChildren();
    for (const part of this.#parts) this.#drawPart(part, screen);
    const { clock } = screen;
    this.#clock.show(clock ? { until: receivedAt + clock.left, text: clock.text } : null);
    if (hadFocus && !this.element.contains(document.activeElement)) this.takeFocus();
    if (isOther && URGENT.includes(screen.is)) this.element.scrollIntoView({ block: "nearest" });
    if (!isFirst && before !== this.#text) this.#say(isOther);
  }

  /** Nothing can be pressed while an answer is on its way. @param {boolean} isBusy */
  setBusy(isBusy) {
    this.element.toggleAttribute("data-busy", isBusy);
    for (const button of this.element.querySelectorAll("[data-do]")) mark(button, "aria-disabled", isBusy ? "true" : null);
  }

  /** Say why something was refused. @param {string} say */
  refuse(say) {
    this.#alert.replaceChildren(say);
  }

  /** Say that the connection is lost; "open": it is not. @param {import("./study.js").LinkState} state */
  showLink(state) {
    const words = { open: "", reconnecting: this.#words.reconnecting, lost: this.#words.reload }[state] ?? "";
    if (this.#link.textContent !== words) this.#link.replaceChildren(words);
  }

  /** Do not count down any more: the element has left the page. */
  close() {
    this.#clock.stop();
  }

  /** Put the focus where the next key belongs. */
  takeFocus() {
    const urgent = URGENT.includes(this.#is) && this.element.querySelector(".btn-primary");
    const place = urgent || this.element.querySelector(".labchat-study-heading");
    /** @type {HTMLElement | null} */ (place)?.focus({ preventScroll: true });
  }

  /** What a screen says, without what counts down. */
  get #text() {
    return ["title", "lines"].map((part) => this.#slots.get(part)?.slot.innerText ?? "").join("\n");
  }

  /** Read out what is new. @param {boolean} isOther another screen has come */
  #say(isOther) {
    mark(this.#said, "role", URGENT.includes(this.#is) ? "alert" : "status");
    this.#said.replaceChildren(isOther ? this.#text : (this.#slots.get("lines")?.slot.innerText ?? ""));
  }

  /** @param {Part} part @param {Screen} screen */
  #drawPart([name, of, build], screen) {
    const part = /** @type {{slot: HTMLElement, from: string}} */ (this.#slots.get(name));
    const from = JSON.stringify([screen.is, of(screen) ?? null]);
    if (part.from === from) return;
    part.from = from;
    const drawn = build(screen);
    part.slot.replaceChildren(...(drawn ? [drawn] : []));
  }

  /** @param {string | null | undefined} title */
  #heading(title) {
    return title ? make("h2", { class: "labchat-study-heading", tabindex: -1 }, title) : null;
  }

  /** @param {Screen} screen */
  #items({ items, needed }) {
    this.#consent = items?.length ? new Consent(items, this.#prefix, needed ?? "") : null;
    return this.#consent?.element ?? null;
  }

  /** A line of text, which is sent with what people do. @param {Screen} screen */
  #line({ field }) {
    this.#field = null;
    if (!field) return null;
    const id = `${this.#prefix}-field`;
    const input = make("input", { id, type: "text", class: "form-control", name: field.name, autocomplete: "off" });
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      /** @type {HTMLElement | null} */ (this.element.querySelector(`[data-do="${field.name}"]`))?.click();
    });
    this.#field = /** @type {HTMLInputElement} */ (input);
    return make("div", { class: "labchat-study-field" }, make("label", { for: id }, field.label), input);
  }

  /** What was typed, by its name. */
  get #typed() {
    return this.#field ? { [this.#field.name]: this.#field.value.slice(0, LONGEST) } : {};
  }

  /** @param {Screen} screen */
  #buttons(screen) {
    const drawn = (screen.buttons ?? []).map((button) => this.#button(button, screen));
    const { link } = screen;
    if (link) drawn.unshift(make("a", { class: "btn btn-primary", href: link.href }, link.label));
    return drawn.length ? make("div", { class: "labchat-study-row" }, ...drawn) : null;
  }

  /**
   * @param {ScreenButton} button
   * @param {Screen} screen
   * @returns {HTMLElement}
   */
  #button({ do: action, label, primary, with: details = {}, ask: question }, { version, missing }) {
    const style = primary ? "btn btn-primary" : "btn btn-outline-secondary";
    const button = make("button", { type: "button", class: style, "data-do": action }, label);
    const send = () => {
      if (action === this.#field?.name) this.refuse("");
      if (action !== "consent") return this.#study.act(action, { ...details, ...this.#typed });
      if (this.#consent?.check() === false) return this.refuse(missing ?? "");
      this.refuse("");
      this.#study.act(action, { ...details, version, answers: this.#consent?.answers ?? {} });
    };
    button.addEventListener("click", () => {
      if (button.ariaDisabled === "true") return;
      if (!question) return send();
      const { title, text, yes, no } = question;
      const choices = [
        { label: yes, class: "btn btn-outline-danger", then: send },
        { label: no, class: "btn btn-primary" },
      ];
      ask({ title, lines: [text], choices });
    });
    return button;
  }

  /** @param {Screen} screen */
  #debrief({ debrief }) {
    if (!debrief) return null;
    const { title, html, lines, keep } = debrief;
    const drawn = [title ? make("h3", {}, title) : "", prose(html) ?? "", paragraphs(lines) ?? ""];
    if (keep) drawn.push(this.#keep(keep));
    return make("div", {}, ...drawn);
  }

  /** Whether the data may be kept. Neither answer is the more likely one. @param {import("../protocol.js").Ask} keep */
  #keep({ title, text, yes, no }) {
    const id = `${this.#prefix}-keep`;
    const choices = [
      { do: "debriefed", label: yes, with: { keep: true } },
      { do: "debriefed", label: no, with: { keep: false } },
    ];
    const buttons = choices.map((choice) => this.#button(choice, { is: "ended" }));
    return make(
      "div",
      { class: "labchat-study-keep", role: "group", "aria-labelledby": id },
      make("h3", { id }, title),
      text ? make("p", {}, text) : "",
      make("div", { class: "labchat-study-row" }, ...buttons),
    );
  }
}

/**
 * Lets a person who waits allow notifications; browsers ask for that only when something is pressed.
 *
 * @param {string | null | undefined} label
 */
function notifyButton(label) {
  if (!label || !Attention.isAskable) return null;
  const button = make("button", { type: "button", class: "btn btn-link" }, label);
  button.addEventListener("click", async () => {
    await Notification.requestPermission();
    button.remove();
  });
  return button;
}

/** The developer's own words. Links in them leave the page open. @param {string | null | undefined} html */
function prose(html) {
  if (!html) return null;
  const drawn = make("div", { class: "labchat-study-prose" }, trusted(html));
  for (const link of drawn.querySelectorAll("a[href]")) {
    mark(link, "target", "_blank");
    mark(link, "rel", "noopener");
  }
  return drawn;
}

/** @param {string[] | undefined} lines */
function paragraphs(lines) {
  return lines?.length ? make("div", {}, ...lines.map((line) => make("p", {}, line))) : null;
}

/** @param {string | null | undefined} text */
function quiet(text) {
  return text ? make("p", { class: "labchat-study-quiet" }, text) : null;
}
