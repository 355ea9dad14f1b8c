// @ts-check
import { make } from "./dom.js";

/** All texts of the element itself; `data-labels` replaces entries by name. */
export const LABELS = {
  // the whole, and the transcript
  room: "Chat",
  log: "Messages",
  you: "You",
  assistant: "Assistant",
  only: "Only you can see this",
  withdrawn: "This message was withdrawn.",
  withdrawn_name: "Withdrawn participant",
  today: "Today",
  yesterday: "Yesterday",
  show_more: "Show more",
  show_less: "Show less",
  new_one: "1 new message",
  new_many: "{n} new messages",
  newest: "To the newest",
  older: "Loading earlier messages…",
  image: "image",
  task: "task",
  footnote_back: "Back to the text",
  copied: "Copied",
  copy: "Copy",
  // what is being answered
  stop: "Stop {name}'s answer",
  still_nothing: "No answer yet. Please wait…",
  stopped: "Stopped.",
  cut_short: "This answer was cut short by an error.",
  interrupted: "This answer was cut short: the server was interrupted.",
  withheld: "This answer was withheld.",
  thinking: "Thinking…",
  thoughts: "Thoughts",
  tool_running: "running…",
  tool_failed: "failed",
  tool_call: "Call",
  tool_result: "Result",
  web_search: "Web search",
  web_fetch: "Web page",
  web_sources: "Sources",
  // who is here
  here: "{n} here",
  and_more: "and {n} more",
  typing_one: "{a} is typing…",
  typing_two: "{a} and {b} are typing…",
  typing_many: "Several people are typing…",
  asked: "Are you still there?",
  confirm: "I am here",
  role_assistant: "assistant",
  role_experimenter: "experimenter",
  role_observer: "observer",
  // the box
  you_are: "You are {name}",
  message: "Your message",
  send: "Send",
  sending: "Sending…",
  unsent: "Will be sent when the connection is back",
  remaining: "{n} characters left",
  over: "Too long by {n}",
  locked: "You cannot write now",
  only_reading: "You only read here",
  empty: "There is nothing to send yet.",
  above_limit: "The message is too long: {n} characters of at most {max}.",
  // the room's state
  joining: "Joining…",
  waiting: "Waiting for a room…",
  first: "You are the first here.",
  closed: "This room is closed. You can read, but not write.",
  readonly: "You can read this room, but not write in it.",
  removed: "You have been removed from this room.",
  gone: "This room does not exist any more.",
  left: "This chat has ended.",
  drawn_twice: "This page shows the chat “{id}” twice; it works in the first place. Please tell the organisers.",
  not_started: "The app behind this page could not start. Please tell the organisers.",
  reconnecting: "Connection lost. Trying again…",
  back: "Connected again.",
  // the page around the chat, while only its own connection to Shiny is lost
  page_lost: "The page around the chat has lost its connection. The chat goes on.",
  page_reload: "Reload the page to have the rest of it back.",
  answers_later: "Automatic answers come when it is back.",
  answers_reload: "There are no automatic answers until then.",
};

/** @typedef {keyof typeof LABELS} Label */
/** @typedef {Record<string, string | number | null>} Values */

const SLOT = /\{(\w+)\}/;

/** The element's texts, in one language. */
export class Labels {
  #replaced;
  #words;

  /**
   * @param {Record<string, unknown>} [replaced]
   * @param {string} [language] in which numbers and dates are written; none: the browser's
   */
  constructor(replaced = {}, language) {
    this.language = language;
    this.#replaced = replaced;
    this.#words = /** @type {Record<string, unknown>} */ ({ ...LABELS, ...replaced });
  }

  /**
   * @param {Label} label
   * @param {Values} [values]
   */
  text(label, values = {}) {
    return this.#pieces(label, values).map(({ text }) => text).join("");
  }

  /**
   * The text as nodes. Values are isolated, as a name may run in the other direction than the text.
   *
   * @param {Label} label
   * @param {Values} values
   */
  nodes(label, values) {
    return this.#pieces(label, values).map(({ text, isValue }) =>
      isValue ? make("bdi", {}, text) : new Text(text),
    );
  }

  /**
   * The server's sentence, unless the element has its own for this code.
   *
   * @param {string | undefined} code
   * @param {string} say
   */
  sentence(code, say) {
    return code && Object.hasOwn(this.#replaced, code) ? String(this.#replaced[code]) : say;
  }

  /** @param {string} label */
  has(label) {
    return label in this.#words;
  }

  /**
   * @param {Label} label
   * @param {Values} values
   */
  #pieces(label, values) {
    const template = String(this.#words[label] ?? "");
    return template.split(SLOT).map((piece, at) => {
      const isValue = at % 2 === 1;
      return { isValue, text: isValue ? String(values[piece] ?? "") : piece };
    });
  }
}
