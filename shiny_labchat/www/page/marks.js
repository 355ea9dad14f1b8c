// @ts-check

/**
 * Mark the page for `styles/disconnected.css`: whether it has a chat, or a page of a study, and whether
 * Shiny's session is lost meanwhile.
 *
 * Styles could ask for `:has(labchat-room)`, but then browsers compute the style of the whole page
 * again with each new message.
 *
 * @param {boolean} isLost
 */
export function markPage(isLost) {
  const page = document.documentElement;
  const hasChat = document.querySelector("labchat-room, labchat-study") !== null;
  page.toggleAttribute("data-labchat", hasChat);
  page.toggleAttribute("data-labchat-lost", hasChat && isLost);
}
