// @ts-check
import { VERSION } from "./wire.js";

/**
 * @typedef {import("./wire.js").Frame} Frame
 * @typedef {import("./wire.js").Bye} Bye
 * @typedef {{
 *   cursor: () => number,
 *   hear: (frame: Frame) => void,
 *   lose: () => void,
 *   part: (bye: Bye) => void,
 * }} LineEvents
 */

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
const WELCOME_WITHIN = 10_000;
const PING_EVERY = 25_000;
const PONG_WITHIN = 10_000;

/**
 * The line to the room: one websocket after another, until the server says that it is over.
 *
 * While a new one is being opened the old one goes on; the welcome decides.
 */
export class Line {
  #on;
  /** @type {{ticket: string} | {resume: string} | null} */
  #token = null;
  /** @type {WebSocket | null} */
  #live = null;
  /** @type {WebSocket | null} */
  #dialled = null;
  #tries = 0;
  #heardAt = 0;
  #retry = 0;
  #patience = 0;
  #pinging = 0;
  #ponging = 0;

  /** @param {LineEvents} on */
  constructor(on) {
    this.#on = on;
  }

  get isOpen() {
    return this.#live?.readyState === WebSocket.OPEN;
  }

  /** Open a new socket with this ticket. @param {string} ticket */
  admit(ticket) {
    this.#token = { ticket };
    this.#tries = 0;
    this.#dial();
  }

  /** Go on where `pause` stopped. */
  reopen() {
    if (this.#token && !this.#live && !this.#dialled) this.#dial();
  }

  /** Close, and keep what it takes to come back. */
  pause() {
    clearTimeout(this.#retry);
    this.#drop(this.#dialled);
    this.#drop(this.#live);
  }

  /** Close for good. */
  hangUp() {
    this.#token = null;
    this.pause();
  }

  /**
   * Say something now, or not at all.
   *
   * @param {import("./wire.js").Saying} saying
   */
  tell(saying) {
    if (this.isOpen) this.#live?.send(JSON.stringify(saying));
    return this.isOpen;
  }

  /** The page is visible or online again: do not sit out a pause, do not trust an old socket. */
  wake() {
    if (this.#live) return this.#ping();
    if (!this.#token || this.#dialled) return;
    this.#tries = 0;
    this.#dial();
  }

  #dial() {
    clearTimeout(this.#retry);
    this.#drop(this.#dialled);
    const socket = new WebSocket(address());
    this.#dialled = socket;
    socket.onopen = () => socket.send(JSON.stringify(this.#hello()));
    socket.onmessage = ({ data }) => this.#take(socket, JSON.parse(data));
    socket.onclose = () => this.#lose(socket);
    this.#patience = window.setTimeout(() => this.#lose(socket), WELCOME_WITHIN);
  }

  #hello() {
    return { t: "hello", v: VERSION, ...this.#token, after: this.#on.cursor() };
  }

  /**
   * @param {WebSocket} socket
   * @param {Frame} frame
   */
  #take(socket, frame) {
    this.#heardAt = Date.now();
    if (frame.t === "bye") return this.#end(socket, frame);
    if (frame.t === "welcome") this.#settle(socket, frame.resume);
    if (frame.t !== "pong") this.#on.hear(frame);
  }

  /**
   * @param {WebSocket} socket
   * @param {string | null} resume
   */
  #settle(socket, resume) {
    const old = this.#live;
    this.#dialled = null;
    this.#live = socket;
    this.#drop(old);
    if (resume) this.#token = { resume };
    this.#tries = 0;
    clearTimeout(this.#patience);
    clearInterval(this.#pinging);
    this.#pinging = window.setInterval(() => this.#ping(), PING_EVERY);
  }

  #ping() {
    const asked = Date.now();
    this.tell({ t: "ping" });
    clearTimeout(this.#ponging);
    this.#ponging = window.setTimeout(() => {
      if (this.#live && this.#heardAt < asked) this.#lose(this.#live);
    }, PONG_WITHIN);
  }

  /**
   * @param {WebSocket} socket
   * @param {Bye} bye
   */
  #end(socket, bye) {
    if (bye.again) return this.#lose(socket);
    const isOver = socket === this.#live || !this.#live;
    this.#drop(socket);
    if (isOver) this.hangUp();
    this.#on.part(bye);
  }

  /** @param {WebSocket} socket */
  #lose(socket) {
    this.#drop(socket);
    if (this.#live) return;
    this.#on.lose();
    if (!this.#dialled) this.#dialLater();
  }

  #dialLater() {
    if (!this.#token) return;
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#tries++);
    clearTimeout(this.#retry);
    this.#retry = window.setTimeout(() => this.#dial(), pause * (0.5 + Math.random() / 2));
  }

  /** Forget a socket at once; its close may take a minute on a dead network. @param {WebSocket | null} socket */
  #drop(socket) {
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    if (socket === this.#dialled) {
      this.#dialled = null;
      clearTimeout(this.#patience);
    }
    if (socket === this.#live) {
      this.#live = null;
      clearInterval(this.#pinging);
      clearTimeout(this.#ponging);
    }
  }
}

function address() {
  const url = new URL("labchat/ws", document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = ""; // a websocket's address may have none
  return url;
}
