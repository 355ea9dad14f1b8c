// @ts-check

/**
 * The frames between this page and the server, version 1, as types.
 *
 * @typedef {{is: "open" | "closed" | "removed", write: boolean, code?: string, say?: string,
 *   reason?: string, name?: string | null, title?: string | null}} RoomState
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
 * @typedef {{k: "msg", seq: number, id: string, h: string | null, name: string | null,
 *   role: "user" | "assistant" | "system", at: number, parts: Part[], icon?: string,
 *   deps?: unknown[], only?: boolean, live?: boolean, by?: string, is?: Ending}} MessageItem
 *   live: its text comes in chunks; by: who may stop it
 * @typedef {{k: "end", seq: number, of: number, is: Ending}} EndItem
 * @typedef {{k: "cleared", seq: number, greeting?: boolean}} ClearedItem
 * @typedef {MessageItem | EndItem | ClearedItem} Item
 * @typedef {{seq?: number, id?: string, h?: string | null, name?: string | null, role: string,
 *   at?: number, parts: Part[], icon?: string, deps?: unknown[], only?: boolean, greeting?: boolean,
 *   persistent?: boolean, live?: boolean, by?: string, is?: Ending}} ShownMessage
 *   a message of the room, or one of the page's initial messages
 *
 * @typedef {Part | ["", string]} Piece "" continues the part before it
 * @typedef {string | Piece[]} More a string continues the last part
 * @typedef {[seq: number, more: More, keep?: number | null, deps?: unknown[]]} Chunk
 *   keep: how many units of the present content stay, from its beginning (a text has as many as its
 *   length, any other part has one); 0: nothing stays, `more` is everything
 *
 * @typedef {{t: "welcome", v: number, resume: string | null, title: string | null, you: You,
 *   max: number, state: RoomState, upto: number, e: Item[], more: boolean, reset: boolean}} Welcome
 * @typedef {{t: "events", upto: number, e: Item[]}} Events
 * @typedef {{t: "older", e: Item[], more: boolean}} Older
 * @typedef {{t: "chunks", of: Chunk[]}} Chunks
 * @typedef {{t: "acks", of: [cid: string, seq: number][]}} Acks
 * @typedef {{t: "refused", cid: string, code: string, say: string}} Refused
 * @typedef {{t: "state", state: RoomState}} State
 * @typedef {{t: "presence", n: number, who: [string, string | null, string][]}} Presence
 * @typedef {{t: "typing", who: [string, string | null][]}} Typing
 * @typedef {{t: "bye", code: string, say: string, again: boolean}} Bye
 * @typedef {Welcome | Events | Chunks | Older | Acks | Refused | State | Presence | Typing |
 *   {t: "pong"} | Bye} Frame
 *
 * @typedef {{t: "send", cid: string, text: string} | {t: "typing"} | {t: "stop", seq: number} |
 *   {t: "older", before: number} | {t: "ping"}} ClientFrame
 */

export const VERSION = 1;

/** The shortest time between two "typing" frames, in milliseconds. */
export const TYPING_INTERVAL = 3000;
