// @ts-check
import { Content } from "../content/content.js";
import { language, make } from "../dom.js";
import { assistantAvatar, participantAvatar } from "../people/avatar.js";
import { fold, isLong } from "./fold.js";
import { Stream } from "./stream.js";

/**
 * @typedef {import("../protocol.js").Shown} Shown
 * @typedef {{
 *   labels: import("../labels.js").Labels, me: string | null, role: string | null,
 *   iconAssistant: string | null, canStop: boolean, stop: (seq: number) => boolean,
 * }} Setting
 * @typedef {{
 *   still: (change: () => void) => void,
 *   say: (words: string) => void,
 * }} Surroundings still: change a message that stands there, and what is read does not move
 * @typedef {{article: HTMLElement, stream: Stream, ready: Promise<unknown>, mount: () => void}} DrawnMessage
 */

/**
 * One message, not in the page yet.
 *
 * @param {Shown} shown
 * @param {Setting} setting
 * @param {Surroundings} surroundings
 * @returns {DrawnMessage}
 */
export function drawMessage(shown, setting, { still, say }) {
  const content = new Content(setting.labels, still);
  const body = make("div", { class: "labchat-body" }, heading(shown, setting), content.element);
  const article = make("article", attributes(shown, setting), body);
  const stream = new Stream(article, content, setting.labels, say);
  content.add(shown.parts, shown.deps);
  if (shown.live) stream.begin(stopperOf(shown, setting));
  else stream.end(shown.is ?? "done");
  if (!shown.live && isLong(shown.parts)) body.append(fold(content.element, setting.labels));
  body.append(stream.element);
  if (shown.only) body.append(make("div", { class: "labchat-only" }, setting.labels.text("only")));
  if (shown.role !== "system") article.prepend(avatar(shown, setting));
  return { article, stream, ready: content.ready, mount: () => content.mount() };
}

/**
 * How to stop an answer, for those who may.
 *
 * @param {Shown} shown
 * @param {Setting} setting
 */
function stopperOf({ seq, by }, { me, role, canStop, stop }) {
  const mayStop = role === "experimenter" || (canStop && by !== undefined && by === me);
  return mayStop && seq !== undefined ? () => stop(seq) : null;
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
    "data-greeting": shown.greeting,
    "data-persistent": shown.persistent,
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

/**
 * @param {Shown} shown
 * @param {Setting} setting
 */
function avatar({ role, h = null, name = null, icon }, { iconAssistant }) {
  return role === "assistant" ? assistantAvatar(icon ?? iconAssistant) : participantAvatar(h, name);
}
