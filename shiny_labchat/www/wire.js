// @ts-check

/**
 * The frames between this page and the server, version 1, as types.
 *
 * @typedef {{is: "open" | "closed" | "removed", write: boolean, code?: string, say?: string,
 *   reason?: string, name?: string | null, title?: string | null}} RoomState
 * @typedef {{h: string, name: string | null, role: string}} You
 * @typedef {["text" | "markdown" | "html", string]} Part
 * @typedef {{k: "msg", seq: number, id: string, h: string | null, name: string | null,
 *   role: "user" | "assistant" | "system", at: number, parts: Part[], icon?: string,
 *   deps?: unknown[], only?: boolean}} MessageItem
 * @typedef {{k: "cleared", seq: number, greeting?: boolean}} ClearedItem
 * @typedef {MessageItem | ClearedItem} Item
 *
 * @typedef {{t: "welcome", v: number, resume: string | null, title: string | null, you: You,
 *   max: number, state: RoomState, upto: number, e: Item[], more: boolean, reset: boolean}} Welcome
 * @typedef {{t: "events", upto: number, e: Item[]}} Events
 * @typedef {{t: "older", e: Item[], more: boolean}} Older
 * @typedef {{t: "acks", of: [cid: string, seq: number][]}} Acks
 * @typedef {{t: "refused", cid: string, code: string, say: string}} Refused
 * @typedef {{t: "state", state: RoomState}} State
 * @typedef {{t: "presence", n: number, who: [string, string | null, string][]}} Presence
 * @typedef {{t: "typing", who: [string, string | null][]}} Typing
 * @typedef {{t: "bye", code: string, say: string, again: boolean}} Bye
 * @typedef {Welcome | Events | Older | Acks | Refused | State | Presence | Typing | {t: "pong"} | Bye} Frame
 *
 * @typedef {{t: "send", cid: string, text: string} | {t: "typing"} |
 *   {t: "older", before: number} | {t: "ping"}} Saying
 */

export const VERSION = 1;

/** "typing" is said at most this often, in milliseconds. */
export const TYPING_EVERY = 3000;
