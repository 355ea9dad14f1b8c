// @ts-check

/** What of HTML does no harm in a message's markdown. */

/** Elements that are copied. */
export const COPIED = listed(
  "abbr b bdi bdo blockquote br caption code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i ins",
  "kbd li mark ol p pre q rp rt ruby s samp section small span strong sub summary sup table tbody td",
  "tfoot th thead tr u ul var wbr",
);
/** Elements of which only the content is copied. */
export const UNWRAPPED = listed(
  "address article aside big center cite col colgroup data dfn figcaption figure font footer header",
  "hgroup main nav strike time tt",
);
/** Elements that have neither content nor an end tag. */
export const VOID = listed("br col hr img wbr");

/** Attributes that are copied. */
export const ATTRIBUTES = listed(
  "colspan data-suggestion data-suggestion-submit dir lang open reversed rowspan scope start title",
);
/** Attributes that are read, or left out; an element that has others is shown as text. */
export const KNOWN_ATTRIBUTES = listed(
  "abbr align alt bgcolor border cellpadding cellspacing cite class color datetime decoding face",
  "headers height hidden href id loading name rel role size span src style summary tabindex target",
  "type valign value width",
);

const COLOURS = "primary|secondary|success|danger|warning|info";
/** Those of suggestions, of highlighted code, and of Bootstrap: looks that hide and cover nothing. */
export const CLASSES = new RegExp(
  `^(${[
    "suggestion|submit|contains-task-list|task-list-item|footnotes",
    "hljs(-\\w+)?|function_|class_|inherited__|language-[\\w+-]+",
    `table(-(sm|striped|striped-columns|bordered|borderless|hover|active|group-divider|${COLOURS}|light|dark))?`,
    `(text|btn|btn-outline|alert|border|list-group-item)-(${COLOURS})|text-(${COLOURS})-emphasis`,
    `text-bg-(${COLOURS}|light|dark)|bg-(${COLOURS})-subtle`,
    "text-(start|center|end|break|uppercase|lowercase|capitalize|muted|body-secondary|body-tertiary)",
    "h[1-6]|display-[1-6]|lead|small|fs-[1-6]|fst-(italic|normal)|fw-\\w+|font-monospace",
    "btn(-sm|-lg)?|alert(-heading)?|badge|list-group(-flush|-numbered|-item)?|bi(-[\\w-]+)?",
    "card(-body|-header|-footer|-title|-subtitle|-text)?|list-(unstyled|inline|inline-item)",
    "blockquote(-footer)?|border(-top|-bottom|-start|-end|-[0-5])?|rounded(-[0-5]|-pill)?",
    "[mp][tbsexy]?-[0-5]|gap-[0-5]|d-(flex|grid|block|inline|inline-block)|flex-(wrap|row|column)",
    "(align-items|justify-content)-(start|center|end|between|around|evenly|baseline|stretch)",
  ].join("|")})$`,
);

/** Protocols of web pages. */
export const WEB = new Set(["http:", "https:"]);
/** Protocols that a link may have. */
export const LINKS = new Set([...WEB, "mailto:", "tel:"]);

/** Whether the tags of an element stay HTML. @param {string} name */
export function isHarmless(name) {
  return COPIED.has(name) || UNWRAPPED.has(name) || name === "a" || name === "img";
}

/** Whether an element may stand in the source with this attribute. @param {string} name */
export function isKnownAttribute(name) {
  return ATTRIBUTES.has(name) || KNOWN_ATTRIBUTES.has(name) || /^(data|aria)-/.test(name);
}

/** @param {...string} lines */
function listed(...lines) {
  return new Set(lines.join(" ").split(" "));
}
