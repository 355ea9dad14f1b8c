// @ts-check
import { canSendMessages } from "../page/shiny.js";
import { Channel } from "./channel.js";

/** How long a websocket may take to open before a channel is tried, in milliseconds. */
const OPEN_WITHIN = 2000;

/** Whether this page's last websocket did not get through, and a channel did. */
let isBlocked = false;

/** Have the next one try a websocket first, whatever became of the last one. */
export function tryOwnFirst() {
  isBlocked = false;
}

/**
 * What frames are sent over: a websocket; or a channel in Shiny's connection, if none gets through.
 *
 * It has as much of a websocket's interface as is used here. It says nothing of a websocket that it
 * gives up, so no token has been used with it.
 */
export class Transport {
  #path;
  #mustBeOwn;
  /** @type {WebSocket | Channel | null} */
  #socket = null;
  #isOver = false;
  #timer = 0;
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {((event: {data: string}) => void) | null} */
  onmessage = null;
  /** @type {(() => void) | null} */
  onclose = null;

  /**
   * @param {string} path of the websocket, from the page's address
   * @param {boolean} mustBeOwn try a websocket only, to see whether one gets through by now
   */
  constructor(path, mustBeOwn) {
    this.#path = path;
    this.#mustBeOwn = mustBeOwn;
    if (isBlocked && !mustBeOwn && canSendMessages()) this.#openChannel();
    else this.#openOwn();
  }

  /** Whether it is a channel in Shiny's connection. */
  get isShared() {
    return this.#socket instanceof Channel;
  }

  get readyState() {
    return this.#socket?.readyState ?? WebSocket.CLOSED;
  }

  /** @param {string} data */
  send(data) {
    this.#socket?.send(data);
  }

  close() {
    this.#isOver = true;
    this.#drop();
  }

  #openOwn() {
    const socket = new WebSocket(address(this.#path));
    this.#use(socket, () => (isBlocked = false));
    socket.onclose = () => this.#replace();
    this.#timer = window.setTimeout(() => {
      if (!this.#mustBeOwn && canSendMessages()) this.#openChannel();
    }, OPEN_WITHIN);
  }

  /** The websocket was refused, or the server is down. */
  #replace() {
    if (this.#mustBeOwn || !canSendMessages()) this.#lose();
    else this.#openChannel();
  }

  #openChannel() {
    this.#drop();
    const channel = new Channel(this.#path);
    this.#use(channel, () => (isBlocked = true));
    channel.onclose = () => {
      isBlocked = false; // the next one tries both
      this.#lose();
    };
  }

  /**
   * @param {WebSocket | Channel} socket
   * @param {() => void} note
   */
  #use(socket, note) {
    this.#socket = socket;
    socket.onopen = () => {
      clearTimeout(this.#timer);
      note();
      socket.onclose = () => this.#lose();
      this.onopen?.();
    };
    socket.onmessage = (/** @type {{data: string}} */ event) => this.onmessage?.(event);
  }

  #lose() {
    if (this.#isOver) return;
    this.close();
    this.onclose?.();
  }

  #drop() {
    clearTimeout(this.#timer);
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }
}

/** @param {string} path */
function address(path) {
  const url = new URL(path, document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = ""; // a websocket's URL must not have one
  return url;
}
