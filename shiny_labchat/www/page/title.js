// @ts-check

/** Changes the page's title for a while: a number before it, or other words in its place. */

/** The page's own title, and what was shown last. */
let original = "";
let shown = "";
let prefix = "";
let words = "";

/** Put something before the title; "": nothing. @param {string} text */
export function prefixTitle(text) {
  prefix = text;
  show();
}

/** Show other words in the place of the title; "": show the title. @param {string} text */
export function replaceTitle(text) {
  words = text;
  show();
}

function show() {
  if (document.title !== shown) original = document.title; // the page has changed it meanwhile
  document.title = words || prefix + original;
  shown = document.title;
}
