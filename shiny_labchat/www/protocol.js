// @ts-check

/**
 * The frames between this page and the server, version 3, as types. Ids are opaque; items come in order.
 *
 * @typedef {{is: "open" | "closed" | "removed", write: boolean, code?: string, say?: string,
 *   reason?: string, name?: string | null, title?: string | null, clock?: RoomClock, gate?: string,
 *   later?: {left: number, runs: boolean, text: string}, done?: string, max?: number, turn?: RoomTurn,
 *   hold?: Hold, typed?: AskedOfPage, no_paste?: string}} RoomState gate: why the person cannot be done yet; later:
 *   or not before so many milliseconds, which run if it has begun; done: that they are; max: how long a message may
 *   be; typed: what is to be sent of how messages are written; no_paste: why nothing may be pasted
 * @typedef {"counts" | "rhythm" | "pasted"} AskedOfPage
 * @typedef {{first_key_ms?: number, typing_ms?: number, pauses?: number, keystrokes?: number, deletions?: number,
 *   pasted_chars?: number, focus_losses?: number, rhythm?: number[]}} Typed how a message was written
 * @typedef {{is: "waiting" | "running" | "paused", left: number, text: string, say?: string}} RoomClock
 *   left: until it starts or is over, in milliseconds; text: how that is shown; say: a warning, or why it stands still
 * @typedef {{is: "mine" | "others", name?: string, text: string, left?: number, say: string}} RoomTurn whose turn it is
 *   to write; left: for how many milliseconds, if it has an end
 * @typedef {{code: string, say: string, left?: number, text?: string}} Hold why a message that is written cannot be
 *   sent yet; left: for how many milliseconds, if that is known; text: how that is shown
 * @typedef {{h: string, name: string | null, role: string}} You
 *
 * @typedef {["text" | "markdown" | "trusted" | "html" | "thinking", string]} TextPart
 * @typedef {{request_id: string, tool_name: string, title?: string, icon?: string,
 *   intent?: string}} ToolCall
 * @typedef {ToolCall & {arguments?: string}} ToolRequest
 * @typedef {ToolCall & {status: "success" | "error", value?: string, value_type?: string,
 *   label?: string, value_preview?: string, footer?: string, request_call?: string,
 *   show_request?: boolean, expanded?: boolean, custom_display?: boolean}} ToolResult
 * @typedef {{url: string, title?: string, domain?: string}} Source
 * @typedef {["tool_request", ToolRequest] | ["tool_result", ToolResult]} ToolPart
 * @typedef {["web_search", {query: string, id?: string}] |
 *   ["web_search_results" | "web_search_citations", {sources: Source[], search_id?: string}] |
 *   ["web_fetch", {url: string, status?: "success" | "error"}]} WebPart
 * @typedef {TextPart | ToolPart | WebPart} Part
 *
 * @typedef {"done" | "stopped" | "failed" | "withheld" | "interrupted"} Ending how a stream ended
 * @typedef {{k?: undefined, id: string, h?: string, name?: string, role?: "assistant" | "system",
 *   at: number, text?: string, parts?: Part[], as?: string, icon?: string, deps?: unknown[],
 *   only?: boolean, live?: boolean, by?: string, is?: Ending, withdrawn?: boolean}} MessageItem
 *   without a role: of a participant; as: the id that the app gave it; live: its text comes in
 *   chunks; by: who may stop it
 * @typedef {{k: "end", id: string, of: string, is: Ending}} EndItem
 * @typedef {{k: "cleared", id: string, greeting?: boolean}} ClearedItem
 * @typedef {{k: "withdrawn", id: string, h: string, anew?: boolean}} WithdrawnItem all that somebody
 *   has said is blank; anew: others have quoted it, so all that is shown is to be asked for again
 * @typedef {{k: "retracted", id: string, of: string}} RetractedItem a message is gone, whoever has said it
 * @typedef {MessageItem | EndItem | ClearedItem | WithdrawnItem | RetractedItem} Item
 * @typedef {{id?: string, h?: string | null, name?: string | null, role: string, at?: number,
 *   parts: Part[], as?: string, icon?: string, deps?: unknown[], only?: boolean, greeting?: boolean,
 *   persistent?: boolean, live?: boolean, by?: string, is?: Ending, withdrawn?: boolean}} ShownMessage
 *   a message of the room, which has an id, or one of the page's initial messages
 *
 * @typedef {Part | ["", string]} Piece "" continues the part before it
 * @typedef {string | Piece[]} More a string continues the last part
 * @typedef {[id: string, more: More, keep?: number | null, deps?: unknown[]]} Chunk
 *   keep: how many units of the present content stay, from its beginning (a text has as many as its
 *   length, any other part has one); 0: nothing stays, `more` is everything
 *
 * @typedef {{t: "welcome", v: number, resume: string | null, title: string | null, you: You,
 *   max: number, state: RoomState, e: Item[], more: boolean, before?: string, reset: boolean}} Welcome
 * @typedef {{t: "events", e: Item[]}} Events
 * @typedef {{t: "older", e: Item[], more: boolean, before?: string}} Older
 *   before: where to go on, as the server has not searched further
 * @typedef {{t: "chunks", of: Chunk[]}} Chunks
 * @typedef {{t: "acks", of: [cid: string, id: string][]}} Acks after the items, if they are shown
 * @typedef {{t: "refused", cid: string, code: string, say: string}} Refused
 * @typedef {{t: "state", state: RoomState}} State
 * @typedef {[handle: string, name: string | null, role: string]} Person
 * @typedef {{t: "presence", n: number, who: Person[]}} Presence in the order of their handles
 * @typedef {{t: "here", n: number, came: Person[], went: string[]}} Here
 * @typedef {{t: "typing", who: [string, string | null][]}} Typing
 * @typedef {{t: "asked", id: string | null, within?: number}} Asked
 *   whether the person is still there; within: for so many milliseconds; id null: not any more
 * @typedef {{t: "bye", code: string, say: string, again: boolean}} Bye
 * @typedef {Welcome | Events | Chunks | Older | Acks | Refused | State | Presence | Here | Typing |
 *   Asked | {t: "ping"} | {t: "checked"} | Bye} Frame
 *
 * @typedef {{t: "send", cid: string, text: string, typed?: Typed} | {t: "typing"} | {t: "stop", id: string} |
 *   {t: "older", before: string} | {t: "check"} | {t: "confirm", id: string} |
 *   {t: "done", cid: string} | {t: "pong", hidden: number, quiet: number}} ClientFrame
 *   pong: for how long the page has been hidden (0: it is not), and the person has done nothing, in milliseconds
 */

/**
 * The frames of a study. All sentences of a screen are the server's.
 *
 * @typedef {"none" | "consent" | "name" | "waiting" | "ready" | "wait_again" | "idle" | "moment" | "barrier" |
 *   "ended" | "other_window"} ScreenName
 * @typedef {{title: string, text: string, yes: string, no: string}} Ask
 * @typedef {{do: string, label: string, primary?: boolean, with?: Record<string, unknown>, ask?: Ask}} ScreenButton
 *   with: sent with it; ask: a question before it is sent
 * @typedef {{id: string, text: string, required?: boolean}} ConsentItem
 * @typedef {{label: string, title: string, text: string, data: string, keep: string, delete: string,
 *   limits: string, cancel: string}} Stop
 * @typedef {{label: string, text: string, value: string, copy: string, copied: string}} Code
 * @typedef {Code & {link: {href: string, label: string}}} Receipt the code with which a person withdraws later, and where
 * @typedef {{title?: string, html?: string, lines?: string[], keep?: Ask | null}} Debrief
 * @typedef {{sound?: boolean, title?: string | null, notify?: string | null}} Attention
 * @typedef {{is: ScreenName, title?: string | null, html?: string | null, lines?: string[],
 *   items?: ConsentItem[] | null, version?: string | null, clock?: {left: number, text: string} | null,
 *   field?: {name: string, label: string} | null,
 *   buttons?: ScreenButton[], stop?: Stop | null, code?: Code | null, receipt?: Receipt | null, forget?: boolean, link?: {href: string, label: string} | null,
 *   contact?: string | null, debrief?: Debrief | null, attention?: Attention | null, needed?: string,
 *   missing?: string, notify?: string}} Screen
 *   forget: the page has to forget what the person has said and filled in; html: the developer's own words; needed, missing: said of items that one has to agree to, before and
 *   after one has not; field: a line of text, sent by its name; notify: stands on the button that allows notifications; clock: `left` milliseconds, which take the place of {time} in `text`
 *
 * @typedef {{t: "welcome", v: number, resume: string | null, words?: Record<string, string>}} StudyWelcome
 *   words: those for times
 * @typedef {StudyWelcome | {t: "screen", screen: Screen} | {t: "did", cid: string} | Refused |
 *   {t: "ping"} | {t: "checked"} | Bye} StudyFrame
 * @typedef {{t: "do", cid: string, do: string, [detail: string]: unknown}} Action
 * @typedef {Action | {t: "check"} | {t: "pong", hidden: number, quiet: number}} StudyClientFrame
 */

export const VERSION = 3;

/** The shortest time between two "typing" frames, in milliseconds. */
export const TYPING_INTERVAL = 3000;

/** Whether an item is a message. @param {Item} item @returns {item is MessageItem} */
export function isMessage(item) {
  return item.k === undefined;
}

/** A message as it is shown: what its item leaves out is said. @param {MessageItem} item @returns {ShownMessage} */
export function shownOf({ text, parts, role, ...rest }) {
  const shown = { role: role ?? "user", parts: parts ?? [["text", text ?? ""]], ...rest };
  return rest.withdrawn ? blanked(shown) : shown;
}

/** What is left of a message that was withdrawn. @param {ShownMessage} shown @returns {ShownMessage} */
export function blanked({ id, h, role, at, as, only }) {
  return { id, h, role, at, as, only, parts: [], withdrawn: true };
}

/** Whether an item says that somebody has withdrawn. @param {Item} item @returns {item is WithdrawnItem} */
export function isWithdrawal(item) {
  return item.k === "withdrawn";
}
