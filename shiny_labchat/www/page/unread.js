// @ts-check

/** Shows the number of unread messages in the title of a hidden page, summed over all its chats. */

let unread = 0;
/** The title without the number, and with it. */
let original = "";
let shown = "";

/** @param {number} messages */
export function countUnread(messages) {
  if (!document.hidden || messages === 0) return;
  unread += messages;
  show();
}

function show() {
  if (document.title !== shown) original = document.title; // the page has changed it meanwhile
  document.title = unread ? `(${unread}) ${original}` : original;
  shown = document.title;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden || unread === 0) return;
  unread = 0;
  show();
});
