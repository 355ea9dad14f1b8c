// @ts-check
import { make, trusted } from "../dom.js";

/** Distinguishable with any colour vision; white text on each has a contrast of at least 5. */
const COLOURS = ["#0b62a8", "#a8430b", "#00694b", "#8a2f6f", "#6b5300", "#3d3f99", "#00636e", "#5b5b5b"];

const ROBOT =
  '<svg viewBox="0 0 24 24" width="100%" height="100%" fill="none" stroke="currentColor" stroke-width="1.6" ' +
  'stroke-linecap="round" stroke-linejoin="round"><rect x="5" y="8" width="14" height="10.5" rx="3"/>' +
  '<path d="M12 8V4.8M2.8 12v2.6M21.2 12v2.6M9.5 15.4h5"/><circle cx="12" cy="4" r=".9"/>' +
  '<path d="M9.2 12v.4M14.8 12v.4" stroke-width="2.2"/></svg>';

/**
 * A participant's initials on their own colour.
 *
 * @param {string | null} handle
 * @param {string | null} name
 */
export function participantAvatar(handle, name) {
  const avatar = make("span", { class: "labchat-avatar", "aria-hidden": "true" }, initials(name ?? ""));
  avatar.style.setProperty("--labchat-avatar-bg", colour(handle ?? name ?? ""));
  return avatar;
}

/**
 * An assistant's icon: the developer's HTML, or a robot.
 *
 * @param {string | null | undefined} icon
 */
export function assistantAvatar(icon) {
  const attributes = { class: "labchat-avatar labchat-avatar-assistant", "aria-hidden": "true" };
  return make("span", attributes, trusted(icon || ROBOT));
}

/** @param {string} name */
export function initials(name) {
  const words = name.split(/[\s_-]+/).filter(Boolean);
  const picked = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return picked.map((word) => [...word][0]).join("").toLocaleUpperCase() || "?";
}

/** @param {string} key */
export function colour(key) {
  let hash = 0;
  for (const char of key) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return COLOURS[hash % COLOURS.length];
}
