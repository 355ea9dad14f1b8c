// @ts-check
import { Connection } from "../connection/connection.js";
import { forgetPerson } from "../page/forgetting.js";
import { randomId } from "../page/identity.js";
import { giveUpSession, greetAgain, hearNotices, isSessionLost, watchSession } from "../page/shiny.js";
import { watchWaking } from "../page/wake.js";
import { Attention } from "./attention.js";
import { forgetDrafts } from "./draft.js";
import { PageEnd } from "./page_end.js";

/**
 * @typedef {import("../protocol.js").Screen} Screen
 * @typedef {import("../protocol.js").Action} Action
 * @typedef {import("../protocol.js").StudyFrame} StudyFrame
 * @typedef {import("../protocol.js").StudyClientFrame} StudyClientFrame
 * @typedef {{study: string, ticket?: string, returns?: boolean, code?: string, say?: string,
 *   again?: boolean}} StudyNotice a message of the session: a ticket for the study's socket, or why
 *   there is none. returns: a new session follows a lost one; again: the session tries again
 * @typedef {{screen: Screen, receivedAt: number}} Shown receivedAt: by the clock that nobody sets
 * @typedef {"open" | "reconnecting" | "lost"} LinkState lost: the page has to be reloaded
 * @typedef {{
 *   draw: (shown: Shown) => void,
 *   setBusy: (isBusy: boolean) => void,
 *   refuse: (say: string) => void,
 *   showLink: (state: LinkState) => void,
 * }} View where a study is drawn in the page
 */

/** How long Shiny's session may take to give a new ticket, in milliseconds. */
const TICKET_TIMEOUT = 8000;
/** The server pings each page of a study every few seconds, and answers at once; in milliseconds. */
const ANSWER_TIMEOUT = 5000;
const CHECKS = { every: 5000, silence: 6000, timeout: 4000 };
/** A connection that comes back sooner is not mentioned, in milliseconds. */
const LOSS_SHOWN_AFTER = 2500;

/** One study in this page: its socket, which is open whether the study is drawn or not. */
export class Study {
  /** @type {Connection<StudyFrame, StudyClientFrame>} */
  #connection;
  #attention;
  #end;
  /** @type {Set<View>} */
  #views = new Set();
  /** @type {Shown | null} */
  #shown = null;
  /** What the server has not answered yet, by its id. @type {Map<string, Action>} */
  #pending = new Map();
  #ticketTimer = 0;
  #lossTimer = 0;
  #isAsking = false;
  #wasLost = false;
  #returns = true;
  /** The server has said that it is over, and why. */
  #over = "";
  /** The words for times. @type {Record<string, string>} */
  words = {};

  /** @param {string} name */
  constructor(name) {
    this.name = name;
    this.#attention = new Attention(name);
    this.#end = new PageEnd(this);
    this.#connection = new Connection({
      path: "labchat/study",
      place: () => ({}),
      receive: (frame) => this.#receive(frame),
      checks: CHECKS,
      lose: () => {
        this.#wasLost = true;
        this.#showLinkLater();
      },
      end: ({ code, say }) => this.#finish(code, say),
    });
    watchWaking((isDoubtful) => this.#connection.wake(isDoubtful), new AbortController().signal);
    watchSession({ lose: () => this.#showLinkLater(), regain: () => this.#showLinkLater(), end: () => {} });
  }

  /** Whether an element of the page draws it. */
  get isDrawn() {
    return this.#views.size > 0;
  }

  /** Act on what the session says. @param {StudyNotice} notice */
  receive({ ticket, returns, code, say, again }) {
    clearTimeout(this.#ticketTimer);
    this.#returns = returns ?? this.#returns;
    if (!ticket && again && this.#connection.isOpen) return; // the socket works without
    if (!ticket) return this.#finish(code ?? "", say ?? "");
    if (this.#over) for (const view of this.#everywhere()) view.refuse("");
    this.#isAsking = this.#wasLost = false;
    this.#over = "";
    this.#connection.connect(ticket);
  }

  /** Draw it here from now on. @param {View} view */
  add(view) {
    this.#views.add(view);
    if (this.#shown) view.draw(this.#shown);
    if (this.#over) view.refuse(this.#over);
    view.setBusy(this.#pending.size > 0);
    this.#end.show(this.#shown);
    this.#showLinkLater();
  }

  /** Do not draw it here any more. @param {View} view */
  delete(view) {
    this.#views.delete(view);
    this.#end.show(this.#shown);
  }

  /**
   * Send what the person wants, once however often they press.
   *
   * @param {string} action
   * @param {Record<string, unknown>} [details]
   */
  act(action, details = {}) {
    if (this.#over || [...this.#pending.values()].some((each) => each.do === action)) return;
    const cid = randomId();
    /** @type {Action} */
    const frame = { ...details, t: "do", cid, do: action };
    this.#pending.set(cid, frame);
    this.#connection.send(frame); // else when the connection is back
    window.setTimeout(() => this.#doubt(cid), ANSWER_TIMEOUT);
    for (const view of this.#everywhere()) view.setBusy(true);
  }

  /** Without an answer the connection may be dead: say it again over another one. @param {string} cid */
  #doubt(cid) {
    if (!this.#pending.has(cid) || !this.#connection.isOpen) return;
    this.#wasLost = true;
    this.#connection.wake(true);
  }

  /** @param {StudyFrame} frame */
  #receive(frame) {
    if (frame.t === "welcome") this.#enter(frame);
    else if (frame.t === "screen") this.#show(frame.screen);
    else if (frame.t === "did") this.#settle(frame.cid);
    else if (frame.t === "refused") this.#refuse(frame);
  }

  /** @param {import("../protocol.js").StudyWelcome} welcome */
  #enter({ words }) {
    this.words = words ?? this.words;
    this.#showLink();
    for (const frame of this.#pending.values()) this.#connection.send(frame);
    if (this.#wasLost) this.#doubtSession();
  }

  /** The network was gone, so Shiny's socket may be dead, too: a session that is there answers. */
  #doubtSession() {
    this.#wasLost = false;
    if (isSessionLost()) return;
    greetAgain();
    clearTimeout(this.#ticketTimer);
    this.#ticketTimer = window.setTimeout(giveUpSession, TICKET_TIMEOUT);
  }

  /** @param {Screen} screen */
  #show(screen) {
    if (screen.forget && !this.#shown?.screen.forget) this.#forget();
    this.#shown = { screen, receivedAt: performance.now() };
    for (const view of this.#views) view.draw(this.#shown);
    this.#end.show(this.#shown);
    this.#attention.show(screen);
  }

  /** The person's data are deleted: nothing of them stays in the page. */
  #forget() {
    forgetDrafts(this.name);
    forgetPerson();
  }

  /** @param {string} cid */
  #settle(cid) {
    this.#pending.delete(cid);
    for (const view of this.#everywhere()) view.setBusy(this.#pending.size > 0);
  }

  /** @param {import("../protocol.js").Refused} refused */
  #refuse({ cid, say }) {
    this.#settle(cid);
    for (const view of this.#everywhere()) view.refuse(say);
  }

  /** It is over, unless only the ticket has expired. @param {string} code @param {string} say */
  #finish(code, say) {
    if (code === "ticket" && !this.#isAsking) return this.#askForTicket(say);
    this.#isAsking = false;
    this.#over = say;
    this.#connection.end();
    this.#pending.clear();
    this.#showLink();
    for (const view of this.#everywhere()) {
      view.setBusy(false);
      view.refuse(say);
    }
  }

  /** @param {string} say why there is none */
  #askForTicket(say) {
    this.#isAsking = true;
    greetAgain();
    this.#showLinkLater();
    if (isSessionLost() && this.#returns) return; // the next session says hello by itself
    this.#ticketTimer = window.setTimeout(() => this.#finish("", say), TICKET_TIMEOUT);
  }

  #everywhere() {
    return [...this.#views, this.#end];
  }

  #showLinkLater() {
    if (this.#state === "open") this.#showLink();
    else this.#lossTimer ||= window.setTimeout(() => this.#showLink(), LOSS_SHOWN_AFTER);
  }

  #showLink() {
    clearTimeout(this.#lossTimer);
    this.#lossTimer = 0;
    for (const view of this.#views) view.showLink(this.#state);
  }

  /** @returns {LinkState} */
  get #state() {
    if (isSessionLost()) return this.#returns ? "reconnecting" : "lost";
    return this.#connection.isOpen || this.#over || !this.#shown ? "open" : "reconnecting";
  }
}

/** @type {Map<string, Study>} */
const studies = new Map();

/** The study of this name in this page. @param {string} name */
export function studyNamed(name) {
  const study = studies.get(name) ?? new Study(name);
  studies.set(name, study);
  return study;
}

/** Open a study's socket when the session says so. */
export function listenForStudies() {
  hearNotices("study", (/** @type {StudyNotice} */ notice) => studyNamed(notice.study).receive(notice));
}
