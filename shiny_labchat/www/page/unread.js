// @ts-check
import { prefixTitle } from "./title.js";

/** Shows the number of unread messages in the title of a hidden page, summed over all its chats. */

let unread = 0;

/** @param {number} messages */
export function countUnread(messages) {
  if (!document.hidden || messages === 0) return;
  unread += messages;
  prefixTitle(`(${unread}) `);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden || unread === 0) return;
  unread = 0;
  prefixTitle("");
});
