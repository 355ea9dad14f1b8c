// @ts-check
import { assistantAvatar, participantAvatar } from "./avatar.js";
import { drawPart } from "./content.js";
import { make } from "./element.js";

/**
 * @typedef {import("./wire.js").Part} Part
 * @typedef {{
 *   seq?: number, id?: string, h?: string | null, name?: string | null, role: string, at?: number,
 *   parts: Part[], icon?: string, deps?: unknown[], only?: boolean, greeting?: boolean,
 * }} Shown a message of the room, or one that the page itself begins with
 * @typedef {{
 *   labels: import("./labels.js").Labels, me: string | null, iconAssistant: string | null,
 * }} Setting
 * @typedef {{article: HTMLElement, ready: Promise<unknown>, mount: () => void}} DrawnMessage
 */

const FOLDED_CHARACTERS = 1500;
const FOLDED_LINES = 20;

/**
 * One message, not in the page yet.
 *
 * @param {Shown} shown
 * @param {Setting} setting
 * @returns {DrawnMessage}
 */
export function drawMessage(shown, setting) {
  const parts = shown.parts.map((part) => drawPart(part, shown.deps ?? [], setting.labels));
  const content = make("div", { class: "labchat-content" }, ...parts.map(({ element }) => element));
  const body = make("div", { class: "labchat-body" }, heading(shown, setting), content);
  if (isLong(shown.parts)) body.append(fold(content, setting.labels));
  if (shown.only) body.append(make("div", { class: "labchat-only" }, setting.labels.text("only")));
  const article = make("article", attributes(shown, setting), body);
  if (shown.role !== "system") article.prepend(avatar(shown, setting));
  return {
    article,
    ready: Promise.all(parts.map(({ ready }) => ready)),
    mount: () => parts.forEach(({ mount }) => mount()),
  };
}

/**
 * @param {Shown} shown
 * @param {Setting} setting
 */
export function isOwn({ h }, { me }) {
  return h !== null && h !== undefined && h === me;
}

/**
 * @param {Shown} shown
 * @param {Setting} setting
 */
function attributes(shown, setting) {
  return {
    class: "labchat-message",
    "data-seq": shown.seq,
    "data-id": shown.id,
    "data-role": shown.role,
    "data-own": isOwn(shown, setting),
  };
}

/**
 * @param {Shown} shown
 * @param {Setting} setting
 */
function heading(shown, setting) {
  const author = make("span", { class: "labchat-author" }, make("bdi", {}, authorOf(shown, setting)));
  const head = make("div", { class: "labchat-head" }, author, " ");
  if (isOwn(shown, setting)) head.append(make("span", { class: "labchat-you" }, setting.labels.text("you")), " ");
  if (shown.at !== undefined) head.append(clock(shown.at));
  return head;
}

/**
 * @param {Shown} shown
 * @param {Setting} setting
 */
function authorOf({ name, role }, { labels }) {
  return name ?? (role === "assistant" ? labels.text("assistant") : "");
}

/** @param {number} at */
function clock(at) {
  const date = new Date(at);
  const words = date.toLocaleTimeString(language(), { hour: "2-digit", minute: "2-digit" });
  const whole = date.toLocaleString(language(), { dateStyle: "full", timeStyle: "medium" });
  return make("time", { class: "labchat-time", dir: "auto", datetime: date.toISOString(), title: whole }, words);
}

/** The page's language, where it states one. */
export function language() {
  return document.documentElement.lang || undefined;
}

/**
 * @param {Shown} shown
 * @param {Setting} setting
 */
function avatar({ role, h = null, name = null, icon }, { iconAssistant }) {
  return role === "assistant" ? assistantAvatar(icon ?? iconAssistant) : participantAvatar(h, name);
}

/** @param {Part[]} parts */
function isLong(parts) {
  if (parts.some(([kind]) => kind === "html")) return false; // it may hold inputs
  const text = parts.map(([, source]) => source).join("\n");
  return text.length > FOLDED_CHARACTERS || text.split("\n", FOLDED_LINES + 1).length > FOLDED_LINES;
}

/**
 * @param {HTMLElement} content
 * @param {import("./labels.js").Labels} labels
 */
function fold(content, labels) {
  const button = make("button", { type: "button", class: "labchat-more btn btn-link btn-sm" });
  /** @param {boolean} isFolded */
  const set = (isFolded) => {
    content.toggleAttribute("data-folded", isFolded);
    button.setAttribute("aria-expanded", String(!isFolded));
    button.textContent = labels.text(isFolded ? "show_more" : "show_less");
  };
  button.addEventListener("click", () => set(!content.hasAttribute("data-folded")));
  set(true);
  return button;
}
