// @ts-check
import { Content } from "../content/content.js";
import { make } from "../dom.js";
import { assistantAvatar, participantAvatar } from "../people/avatar.js";
import { fold, isLong } from "./fold.js";
import { Stream } from "./stream.js";

/**
 * @typedef {import("../protocol.js").ShownMessage} ShownMessage
 * @typedef {{
 *   labels: import("../labels.js").Labels, breaks: boolean, me: string | null, role: string | null,
 *   iconAssistant: string | null, canStop: boolean, stop: (id: string) => boolean,
 * }} RoomContext
 * @typedef {{
 *   keepStill: (change: () => void) => void,
 *   announce: (words: string) => void,
 * }} TranscriptActions keepStill: change a message that is shown, and what is being read does not move
 * @typedef {{article: HTMLElement, stream: Stream, ready: Promise<unknown>, mount: () => void}} DrawnMessage
 */

/**
 * Make the elements of one message, not in the page yet.
 *
 * @param {ShownMessage} shown
 * @param {RoomContext} context
 * @param {TranscriptActions} actions
 * @returns {DrawnMessage}
 */
export function drawMessage(shown, context, { keepStill, announce }) {
  const content = new Content(context, keepStill);
  const body = make("div", { class: "labchat-body" }, heading(shown, context), content.element);
  const article = make("article", attributes(shown, context), body);
  const stream = new Stream(article, content, context.labels, announce);
  content.add(shown.parts, shown.deps);
  if (shown.withdrawn) body.append(make("div", { class: "labchat-withdrawn" }, context.labels.text("withdrawn")));
  if (shown.live) stream.begin(stopFunction(shown, context));
  else stream.end(shown.is ?? "done");
  if (!shown.live && isLong(shown.parts)) body.append(fold(content.element, context.labels));
  body.append(stream.element);
  if (shown.only) body.append(make("div", { class: "labchat-only" }, context.labels.text("only")));
  if (shown.role !== "system") article.prepend(avatar(shown, context));
  return { article, stream, ready: content.ready, mount: () => content.mount() };
}

/**
 * The function that stops an answer; null for those who may not.
 *
 * @param {ShownMessage} shown
 * @param {RoomContext} context
 */
function stopFunction({ id, by }, { me, role, canStop, stop }) {
  const mayStop = role === "experimenter" || (canStop && by !== undefined && by === me);
  return mayStop && id !== undefined ? () => stop(id) : null;
}

/**
 * @param {ShownMessage} shown
 * @param {RoomContext} context
 */
export function isOwn({ h }, { me }) {
  return h !== null && h !== undefined && h === me;
}

/**
 * @param {ShownMessage} shown
 * @param {RoomContext} context
 */
function attributes(shown, context) {
  return {
    class: "labchat-message",
    "data-id": shown.as ?? shown.id,
    "data-role": shown.role,
    "data-own": isOwn(shown, context),
    "data-greeting": shown.greeting,
    "data-persistent": shown.persistent,
    "data-only": Boolean(shown.only),
    "data-withdrawn": Boolean(shown.withdrawn),
  };
}

/**
 * @param {ShownMessage} shown
 * @param {RoomContext} context
 */
function heading(shown, context) {
  const author = make("span", { class: "labchat-author" }, make("bdi", {}, authorOf(shown, context)));
  const head = make("div", { class: "labchat-head" }, author, " ");
  if (isOwn(shown, context)) head.append(make("span", { class: "labchat-you" }, context.labels.text("you")), " ");
  if (shown.at !== undefined) head.append(clock(shown.at, context.labels.language));
  return head;
}

/**
 * @param {ShownMessage} shown
 * @param {RoomContext} context
 */
function authorOf({ name, role, withdrawn }, { labels }) {
  if (withdrawn) return labels.text("withdrawn_name");
  return name ?? (role === "assistant" ? labels.text("assistant") : "");
}

/** @param {number} at @param {string} [language] */
function clock(at, language) {
  const date = new Date(at);
  const words = date.toLocaleTimeString(language, { hour: "numeric", minute: "2-digit" });
  const whole = date.toLocaleString(language, { dateStyle: "full", timeStyle: "medium" });
  return make("time", { class: "labchat-time", dir: "auto", datetime: date.toISOString(), title: whole }, words);
}

/**
 * @param {ShownMessage} shown
 * @param {RoomContext} context
 */
function avatar({ role, h = null, name = null, icon, withdrawn }, { iconAssistant }) {
  if (withdrawn) return make("span", { class: "labchat-avatar", "aria-hidden": "true" }, "–");
  return role === "assistant" ? assistantAvatar(icon ?? iconAssistant) : participantAvatar(h, name);
}
