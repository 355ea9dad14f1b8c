// @ts-check
import { randomId } from "../page/identity.js";
import { sendMessage, takeMessages, watchSession } from "../page/shiny.js";

/**
 * Websockets inside Shiny's connection, for hosts that let no second one through.
 *
 * The server takes the messages out before Shiny reads them, and so does the page: neither waits for
 * what Shiny does.
 *
 * @typedef {{channel: string, open?: true, text?: string, part?: number, more?: boolean, close?: number}} Told
 *   text: a frame, or a part of one, of which there may be more
 */

const INPUT = ".clientdata_labchat_channel";
const TOLD = '{"custom":{"labchat_channel":';
/** How many characters the page receives before it confirms them; the server waits above four times that. */
const CONFIRM_AFTER = 4000;
/** How long the server may take to open a channel, in milliseconds. */
const OPEN_TIMEOUT = 5000;

/** @type {Map<string, Channel>} */
const channels = new Map();
/** Messages received in this session, and the characters of those that are not confirmed. */
const received = { messages: 0, unconfirmed: 0 };

takeMessages(TOLD, (data) => {
  received.messages += 1;
  received.unconfirmed += data.length;
  if (received.unconfirmed >= CONFIRM_AFTER) {
    received.unconfirmed = 0;
    say({ has: received.messages });
  }
  /** @type {Told} */
  const told = JSON.parse(data).custom.labchat_channel;
  channels.get(told.channel)?.hear(told);
});

watchSession({
  lose: () => {
    Object.assign(received, { messages: 0, unconfirmed: 0 });
    for (const channel of [...channels.values()]) channel.lose();
  },
  regain: () => {},
  end: () => {},
});

/** @param {object} what */
function say(what) {
  sendMessage({ method: "update", data: { [INPUT]: what } });
}

/** One of them, with as much of a websocket's interface as is used here. */
export class Channel {
  #id = randomId();
  #text = "";
  #openTimer;
  /** @type {number} */
  readyState = WebSocket.CONNECTING;
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {((event: {data: string}) => void) | null} */
  onmessage = null;
  /** @type {(() => void) | null} */
  onclose = null;

  /** @param {string} path of the websocket, from the page's address */
  constructor(path) {
    channels.set(this.#id, this);
    this.#openTimer = window.setTimeout(() => this.lose(), OPEN_TIMEOUT);
    say({ channel: this.#id, open: `/${path}` });
  }

  /** @param {string} text */
  send(text) {
    if (this.readyState === WebSocket.OPEN) say({ channel: this.#id, text });
  }

  close() {
    if (this.readyState === WebSocket.CLOSED) return;
    say({ channel: this.#id, close: 1000 });
    this.#end();
  }

  /** Take what the server says. @param {Told} told */
  hear({ open, text, part, more, close }) {
    if (close !== undefined) return this.lose();
    if (open) {
      clearTimeout(this.#openTimer);
      this.readyState = WebSocket.OPEN;
      this.onopen?.();
    }
    if (text === undefined) return;
    this.#text = part ? this.#text + text : text; // what was left unfinished is not gone on with
    if (!more) this.onmessage?.({ data: this.#text });
  }

  /** It has ended, or has never begun. */
  lose() {
    if (this.readyState === WebSocket.CLOSED) return;
    this.#end();
    this.onclose?.();
  }

  #end() {
    clearTimeout(this.#openTimer);
    channels.delete(this.#id);
    this.readyState = WebSocket.CLOSED;
  }
}
