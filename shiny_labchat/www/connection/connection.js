// @ts-check
import { VERSION } from "../protocol.js";

/**
 * @typedef {import("../protocol.js").Frame} Frame
 * @typedef {import("../protocol.js").Bye} Bye
 * @typedef {{
 *   cursor: () => number,
 *   hear: (frame: Frame) => void,
 *   lose: (bye?: Bye) => void,
 *   part: (bye: Bye) => void,
 * }} LineEvents lose: for now, and why if the server said so; part: for good
 */

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
/** A line that held so long was a good one: the next pauses are short again. */
const STEADY = 5000;
const WELCOME_WITHIN = 20_000;
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
  #settledAt = 0;
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
   * @param {import("../protocol.js").Saying} saying
   */
  tell(saying) {
    if (this.isOpen) this.#live?.send(JSON.stringify(saying));
    return this.isOpen;
  }

  /**
   * The page is looked at again: do not sit out a pause, ask an old socket whether it is alive.
   *
   * @param {boolean} isDoubtful it hardly is; a new one is dialled without waiting for its answer
   */
  wake(isDoubtful) {
    if (this.#live) this.#ping();
    if (!this.#token) return;
    if (!isDoubtful && (this.#live || this.#dialled)) return;
    this.#tries = 0;
    this.#dial();
  }

  #dial() {
    clearTimeout(this.#retry);
    this.#drop(this.#dialled);
    const socket = new WebSocket(address());
    this.#dialled = socket;
    socket.onopen = () => socket.send(JSON.stringify(this.#hello()));
    socket.onmessage = ({ data }) => {
      for (const frame of data.split("\n")) this.#take(socket, JSON.parse(frame));
    };
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
    this.#settledAt = Date.now();
    if (resume) this.#token = { resume };
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
    if (bye.again) return this.#lose(socket, bye);
    const isOver = socket === this.#live || !this.#live;
    this.#drop(socket);
    if (!isOver) return; // what was to replace it was refused; it goes on
    this.hangUp();
    this.#on.part(bye);
  }

  /**
   * @param {WebSocket} socket
   * @param {Bye} [bye]
   */
  #lose(socket, bye) {
    if (socket === this.#live && Date.now() - this.#settledAt > STEADY) this.#tries = 0;
    this.#drop(socket);
    if (this.#live) return;
    this.#on.lose(bye);
    if (!this.#dialled) this.#dialLater();
  }

  /** Ever later, and not when everybody else does. */
  #dialLater() {
    if (!this.#token) return;
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#tries++);
    clearTimeout(this.#retry);
    this.#retry = window.setTimeout(() => this.#dial(), pause * (0.3 + Math.random()));
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
