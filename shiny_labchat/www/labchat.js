// @ts-check
import { deleteStoredDrafts } from "./composer/drafts.js";
import { listenForRenderer } from "./content/renderer.js";
import { languageOf } from "./dom.js";
import { Labels } from "./labels.js";
import { Keys } from "./page/identity.js";
import { listEvents } from "./page/events.js";
import { whenForgotten } from "./page/forgetting.js";
import { markPage } from "./page/marks.js";
import { keepRooms } from "./page/redraw.js";
import { deliverPending, isSessionLost, register, setInput, watchSession } from "./page/shiny.js";
import { DuplicateWatch } from "./page/tabs.js";
import { Room } from "./room.js";
import { LabchatStudy } from "./study/element.js";
import { LabchatForm, listenForForms } from "./study/form.js";
import { listenForStudies } from "./study/study.js";

/**
 * @typedef {import("./page/shiny.js").Notice} Notice
 */

/** How long Shiny's session may take to give a new ticket, in milliseconds. */
const TICKET_TIMEOUT = 8000;
/** A lost session that comes back sooner is not mentioned, in milliseconds. */
const LOSS_SHOWN_AFTER = 2500;
/** An element that is drawn anew may be in the page together with its successor for less, in milliseconds. */
const TWICE_AFTER = 1000;
/** The shortest wait before asking again after a refusal, in milliseconds; at most twice that. */
const RETRY_DELAY = 5000;

/**
 * `<labchat-room>`: asks its Shiny session who this browser is, and joins the room it is given.
 */
export class LabchatRoom extends HTMLElement {
  /** @type {Room | null} */
  #room = null;
  /** @type {Keys | null} */
  #keys = null;
  /** @type {DuplicateWatch | null} */
  #duplicateWatch = null;
  #asked = Date.now();
  #ticketTimer = 0;
  #lossTimer = 0;
  #twiceTimer = 0;
  #isPending = false;
  #isAnswered = false;
  #unwatchSession = () => {};
  /** What the server said about Shiny's session. */
  #session = { returns: false, answers: false };
  /** How far it was when it lost its session. @type {import("./page/shiny.js").LostSession | null} */
  #lostSession = null;

  /** Set by Shiny's input binding: sends `asking` to the session. @type {(() => void) | null} */
  whenAsking = null;

  connectedCallback() {
    this.#keys ??= new Keys(this.dataset.person);
    this.#room ??= this.#build();
    this.#room.open();
    this.#duplicateWatch = this.#watchDuplicates(this.#keys);
    this.#unwatchSession = watchSession({
      lose: () => this.#loseSession(),
      regain: () => this.#regainSession(),
      end: () => this.#endSession(),
    });
    if (isSessionLost()) this.#loseSession();
    else this.#regainSession();
    deliverPending(this);
    this.#twiceTimer = window.setTimeout(() => this.#checkTwice(), TWICE_AFTER);
  }

  /** Moved in the page: nothing is to be done, and the connection stays. */
  connectedMoveCallback() {}

  disconnectedCallback() {
    markPage(isSessionLost());
    clearTimeout(this.#ticketTimer);
    clearTimeout(this.#lossTimer);
    clearTimeout(this.#twiceTimer);
    this.#unwatchSession();
    this.#duplicateWatch?.close();
    this.#room?.close();
  }

  /** The question to the session: who is this? `n` makes it a new question. */
  get asking() {
    return { browser: this.#keys?.browser, tab: this.#keys?.tab, n: this.#asked, ...this.#lostSession };
  }

  /** Act on the session's answer. @param {Notice} notice */
  receive(notice) {
    if (notice.do === "greet") return this.#room?.showGreeting(notice.greeting);
    this.#isAnswered = true;
    clearTimeout(this.#ticketTimer);
    this.#isPending = false;
    if (notice.do === "admit") this.#admit(notice);
    else if (notice.do === "wait") this.#room?.waitForRoom();
    else if (notice.do === "refuse") this.#refuse(notice);
    else if (notice.do === "left") this.#room?.retire(this.#labels().text("left"));
  }

  /** Say so if the page has another element with this id, which then has the chat. */
  #checkTwice() {
    if (document.getElementById(this.id) === this) return;
    const words = this.#labels().text("drawn_twice", { id: this.id });
    console.error(`chat ${this.id}: the page has two elements with this id; this one does not work`, this);
    this.#room?.end("drawn_twice", words);
    setInput(".clientdata_labchat_twice:shiny_labchat.twice", this.id);
  }

  #build() {
    return new Room({
      host: this,
      labels: this.#labels(),
      messages: json(this.dataset.messages, []),
      iconAssistant: this.dataset.iconAssistant ?? null,
      canStop: this.dataset.enableCancel !== "false",
      breaks: this.dataset.breaks !== undefined,
      done: this.dataset.done ?? null,
      onEnd: (code, say) => this.#end(code, say),
      onDoubt: () => this.#doubt(),
    });
  }

  #labels() {
    return new Labels(json(this.dataset.labels, {}), languageOf(this));
  }

  /** @param {import("./page/shiny.js").Admission} notice */
  #admit({ ticket, who, returns, answers, greeting }) {
    this.#session = { returns, answers };
    this.#lostSession = null;
    if (greeting) this.#room?.showGreeting(greeting);
    this.#room?.admit(ticket, who);
  }

  /** @param {{code: string, say: string, again?: boolean}} notice */
  #refuse({ code, say, again }) {
    if (!again || !this.#room?.isOpen) this.#room?.end(code, say);
    if (again) this.#ticketTimer = window.setTimeout(() => this.#ask(), RETRY_DELAY * (1 + Math.random()));
  }

  /**
   * End the chat, or ask once for a new ticket if the old one has expired.
   *
   * @param {string} code
   * @param {string} say
   */
  #end(code, say) {
    if (code !== "ticket" || this.#isPending) return this.#room?.end(code, say);
    this.#isPending = true;
    this.#room?.showReconnecting();
    this.#ask();
    if (isSessionLost() && this.#session.returns) return; // the next session will be asked
    this.#ticketTimer = window.setTimeout(() => this.#room?.end(code, say), TICKET_TIMEOUT);
  }

  /** Shiny notices that its connection is dead only when it sends something: make it send. */
  #doubt() {
    if (!isSessionLost()) this.#ask();
  }

  /** Tell Shiny now what the next session must know: it gets the value that the page set last. */
  #loseSession() {
    markPage(true);
    this.#lostSession ??= this.#room?.position ?? null;
    this.#ask();
    clearTimeout(this.#lossTimer);
    this.#lossTimer = window.setTimeout(() => this.#room?.showNote(this.#lossText()), LOSS_SHOWN_AFTER);
  }

  /** The app has ended the session: has it failed before it had a Chat to answer? */
  #endSession() {
    if (this.#isAnswered) return;
    this.#room?.end("not_started", this.#labels().text("not_started"));
  }

  #regainSession() {
    markPage(false);
    clearTimeout(this.#lossTimer);
    this.#room?.showNote("");
  }

  /** What the loss of the session means for the participant. */
  #lossText() {
    const { returns, answers } = this.#session;
    const labels = this.#labels();
    const said = [labels.text("page_lost")];
    if (!returns) said.push(labels.text("page_reload"));
    if (answers) said.push(labels.text(returns ? "answers_later" : "answers_reload"));
    return said.join(" ");
  }

  #ask() {
    this.#asked += 1;
    this.whenAsking?.();
  }

  /** @param {Keys} keys */
  #watchDuplicates(keys) {
    return new DuplicateWatch(
      () => keys.tab,
      (key) => {
        keys.renewTab(key);
        this.#room?.dropUnsent();
        this.#ask();
      },
    );
  }
}

/**
 * @template T
 * @param {string | undefined} text
 * @param {T} missing
 * @returns {T}
 */
function json(text, missing) {
  return text ? JSON.parse(text) : missing;
}

register();
listenForRenderer();
listEvents();
keepRooms();
whenForgotten(deleteStoredDrafts);
listenForStudies();
listenForForms();
customElements.define("labchat-room", LabchatRoom);
customElements.define("labchat-study", LabchatStudy);
customElements.define("labchat-form", LabchatForm);
