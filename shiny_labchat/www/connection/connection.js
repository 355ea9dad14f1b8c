// @ts-check
import { activity } from "../page/activity.js";
import { VERSION } from "../protocol.js";
import { Transport, tryOwnFirst } from "./transport.js";

/**
 * @typedef {import("../protocol.js").Bye} Bye
 * @typedef {{t: string}} AnyFrame
 */

/**
 * @template {AnyFrame} F
 * @typedef {{
 *   path: string,
 *   place: () => Record<string, string>,
 *   receive: (frame: F) => void,
 *   lose: (bye?: Bye) => void,
 *   end: (bye: Bye) => void,
 *   checks?: {every: number, silence: number, timeout: number},
 * }} ConnectionOptions path: of the websocket, from the page's address; place: what a hello says of
 *   how far the page is; lose: for now, and why if the server said so; end: for good; checks: how
 *   often, and after how long a silence, the server is asked whether it is there, and how long it may
 *   take to answer, which is less than that
 */

/** All times are in milliseconds. */
const FIRST_RETRY_DELAY = 500;
const MAX_RETRY_DELAY = 15_000;
/** A socket that lasted longer resets the retry delay. */
const STABLE_AFTER = 5000;
const WELCOME_TIMEOUT = 20_000;
/** While frames go over Shiny's connection: when a websocket is tried again. */
const FIRST_OWN_DELAY = 30_000;
const MAX_OWN_DELAY = 600_000;
const CHECKS = { every: 25_000, silence: 0, timeout: 10_000 };

/**
 * The connection to a room or a study: one websocket after another, until the server ends it.
 *
 * While a new socket opens the old one stays in use; the new one's welcome replaces it. Where no
 * websocket gets through, a socket is a channel in Shiny's connection, see `Transport`.
 *
 * @template {AnyFrame} F what the server sends
 * @template {AnyFrame} C what the page sends
 */
export class Connection {
  #on;
  /** @type {{ticket: string} | {resume: string} | null} */
  #token = null;
  /** @type {Transport | null} */
  #socket = null;
  /** @type {Transport | null} */
  #nextSocket = null;
  #attempts = 0;
  #ownAttempts = 0;
  #receivedAt = 0;
  #welcomedAt = 0;
  #retryTimer = 0;
  #ownTimer = 0;
  #welcomeTimer = 0;
  #checkTimer = 0;
  #answerTimer = 0;
  #checks;

  /** @param {ConnectionOptions<F>} on */
  constructor(on) {
    this.#on = on;
    this.#checks = on.checks ?? CHECKS;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Open a new socket with this ticket. @param {string} ticket */
  connect(ticket) {
    this.#token = { ticket };
    this.#attempts = 0;
    this.#connect();
  }

  /** Connect again after `pause`. */
  resume() {
    if (this.#token && !this.#socket && !this.#nextSocket) this.#connect();
  }

  /** Close, but keep the token, so that `resume` can connect again. */
  pause() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#ownTimer);
    this.#discard(this.#nextSocket);
    this.#discard(this.#socket);
  }

  /** Close for good. */
  end() {
    this.#token = null;
    this.pause();
  }

  /**
   * Send a frame if the connection is open, and return whether it was.
   *
   * @param {C | {t: "check"}} frame
   */
  send(frame) {
    if (this.isOpen) this.#socket?.send(JSON.stringify(frame));
    return this.isOpen;
  }

  /**
   * Check the connection when the page is seen again: ask on an open socket, do not wait for a retry.
   *
   * @param {boolean} isDoubtful the socket is probably dead: connect without waiting for its answer
   */
  wake(isDoubtful) {
    if (this.#socket) this.#check();
    if (!this.#token) return;
    if (!isDoubtful && (this.#socket || this.#nextSocket)) return;
    if (isDoubtful) tryOwnFirst(); // it may be another network
    this.#attempts = 0;
    this.#ownAttempts = 0;
    this.#connect();
  }

  /** @param {boolean} [mustBeOwn] only a websocket will do; what is there stays until it is open */
  #connect(mustBeOwn = false) {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#ownTimer);
    this.#discard(this.#nextSocket);
    const socket = new Transport(this.#on.path, mustBeOwn);
    this.#nextSocket = socket;
    socket.onopen = () => socket.send(JSON.stringify(this.#hello()));
    socket.onmessage = ({ data }) => {
      for (const frame of data.split("\n")) this.#receive(socket, JSON.parse(frame));
    };
    socket.onclose = () => this.#lose(socket);
    this.#welcomeTimer = window.setTimeout(() => this.#lose(socket), WELCOME_TIMEOUT);
  }

  #hello() {
    return { t: "hello", v: VERSION, ...this.#token, ...this.#on.place() };
  }

  /**
   * @param {Transport} socket
   * @param {F & Partial<{resume: string | null}>} frame
   */
  #receive(socket, frame) {
    this.#receivedAt = Date.now();
    if (isBye(frame)) return this.#end(socket, frame);
    if (frame.t === "welcome") this.#welcome(socket, frame.resume ?? null);
    if (frame.t === "ping") return socket.send(JSON.stringify({ t: "pong", ...activity() }));
    if (frame.t !== "checked") this.#on.receive(frame);
  }

  /**
   * @param {Transport} socket
   * @param {string | null} resume
   */
  #welcome(socket, resume) {
    const old = this.#socket;
    this.#nextSocket = null;
    this.#socket = socket;
    this.#discard(old);
    this.#welcomedAt = Date.now();
    if (resume) this.#token = { resume };
    clearTimeout(this.#welcomeTimer);
    clearInterval(this.#checkTimer);
    this.#checkTimer = window.setInterval(() => this.#checkIfSilent(), this.#checks.every);
    this.#seekOwnLater();
  }

  #checkIfSilent() {
    if (Date.now() - this.#receivedAt >= this.#checks.silence) this.#check();
  }

  #check() {
    const asked = Date.now();
    this.send({ t: "check" });
    clearTimeout(this.#answerTimer);
    this.#answerTimer = window.setTimeout(() => {
      if (this.#socket && this.#receivedAt < asked) this.#lose(this.#socket);
    }, this.#checks.timeout);
  }

  /**
   * @param {Transport} socket
   * @param {Bye} bye
   */
  #end(socket, bye) {
    if (bye.again) return this.#lose(socket, bye);
    const isOver = socket === this.#socket || !this.#socket;
    this.#discard(socket);
    if (!isOver) return; // the new socket was refused; the old one stays
    this.end();
    this.#on.end(bye);
  }

  /**
   * @param {Transport} socket
   * @param {Bye} [bye]
   */
  #lose(socket, bye) {
    if (socket === this.#socket && Date.now() - this.#welcomedAt > STABLE_AFTER) this.#attempts = 0;
    this.#discard(socket);
    if (this.#socket) return this.#seekOwnLater();
    this.#on.lose(bye);
    if (!this.#nextSocket) this.#retryLater();
  }

  /** Retry with growing delays, random so that not all browsers come back at once. */
  #retryLater() {
    if (!this.#token) return;
    const pause = Math.min(MAX_RETRY_DELAY, FIRST_RETRY_DELAY * 2 ** this.#attempts++);
    clearTimeout(this.#retryTimer);
    this.#retryTimer = window.setTimeout(() => this.#connect(), pause * (0.3 + Math.random()));
  }

  /** Frames that go over Shiny's connection can do without, if a websocket gets through by then. */
  #seekOwnLater() {
    clearTimeout(this.#ownTimer);
    if (!this.#socket?.isShared) return void (this.#ownAttempts = 0);
    const pause = Math.min(MAX_OWN_DELAY, FIRST_OWN_DELAY * 2 ** this.#ownAttempts++);
    this.#ownTimer = window.setTimeout(() => this.#connect(true), pause * (0.5 + Math.random()));
  }

  /** Forget a socket at once, as closing may take a minute on a dead network. @param {Transport | null} socket */
  #discard(socket) {
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    if (socket === this.#nextSocket) {
      this.#nextSocket = null;
      clearTimeout(this.#welcomeTimer);
    }
    if (socket === this.#socket) {
      this.#socket = null;
      clearInterval(this.#checkTimer);
      clearTimeout(this.#answerTimer);
    }
  }
}

/** @param {AnyFrame} frame @returns {frame is Bye} */
function isBye(frame) {
  return frame.t === "bye";
}
