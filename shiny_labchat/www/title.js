// @ts-check

/** The number of unread messages in the page's title, over all chats of a page that is hidden. */

let unread = 0;
let badge = "";

/** @param {number} messages */
export function countUnread(messages) {
  if (!document.hidden || messages === 0) return;
  unread += messages;
  show(`(${unread}) `);
}

/** @param {string} next */
function show(next) {
  const title = document.title.startsWith(badge) ? document.title.slice(badge.length) : document.title;
  document.title = next + title;
  badge = next;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden || unread === 0) return;
  unread = 0;
  show("");
});
