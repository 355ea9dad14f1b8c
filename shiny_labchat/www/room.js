// @ts-check
import { Composer } from "./composer/composer.js";
import { DoneButton } from "./composer/done.js";
import { Drafts } from "./composer/drafts.js";
import { Connection } from "./connection/connection.js";
import { Outbox } from "./connection/outbox.js";
import { loadRendererWhenIdle } from "./content/renderer.js";
import { listenForSuggestions } from "./content/suggestions.js";
import { make, mark } from "./dom.js";
import { whenForgotten } from "./page/forgetting.js";
import { countUnread } from "./page/unread.js";
import { watchWaking } from "./page/wake.js";
import { participantAvatar } from "./people/avatar.js";
import { Clock } from "./people/clock.js";
import { Presence } from "./people/presence.js";
import { Question } from "./people/question.js";
import { TypingIndicator } from "./people/typing.js";
import { isMessage, isWithdrawal, shownOf } from "./protocol.js";
import { Status } from "./status.js";
import { isOwn } from "./transcript/message.js";
import { Transcript } from "./transcript/transcript.js";

/**
 * @typedef {import("./protocol.js").Item} Item
 * @typedef {import("./protocol.js").Frame} Frame
 * @typedef {import("./protocol.js").Welcome} Welcome
 * @typedef {import("./protocol.js").RoomState} RoomState
 * @typedef {import("./status.js").StatusName} StatusName
 * @typedef {{
 *   host: HTMLElement,
 *   labels: import("./labels.js").Labels,
 *   messages: import("./protocol.js").ShownMessage[],
 *   iconAssistant: string | null,
 *   canStop: boolean,
 *   breaks: boolean,
 *   done: string | null,
 *   onEnd: (code: string, say: string) => void,
 *   onDoubt: () => void,
 * }} RoomOptions breaks: line breaks in markdown are shown; done: the text of the button; onEnd: the server has closed the connection for good; onDoubt: the page's connections
 *   may be dead
 */

/** One room as one person sees it: draws what the server sends, and sends what the person types. */
export class Room {
  #options;
  #labels;
  #context;
  #status;
  #presence;
  #typing;
  #question;
  #clock;
  #turn;
  #done;
  #transcript;
  #outbox;
  #composer;
  #drafts;
  /** @type {Connection<Frame, import("./protocol.js").ClientFrame>} */
  #connection;
  #title = make("div", { class: "labchat-title", hidden: true });
  #me = make("div", { class: "labchat-me", hidden: true });
  #listeners = new AbortController();
  /** @type {RoomState | null} */
  #state = null;
  /** The id of the newest item that has come; "": none has. */
  #cursor = "";
  /** @type {Promise<void>} done when all that has come is drawn */
  #drawing = Promise.resolve();
  /** What a person is told who sends something after the app has ended the chat; "": it has not. */
  #retired = "";
  /** Whether to forget what the person has said, as soon as the room has ended for them. */
  #isForgetting = false;
  /** Whether the app has named the element. */
  #isNamed;

  /** @param {RoomOptions} options */
  constructor(options) {
    const { host, labels, iconAssistant, canStop, breaks } = (this.#options = options);
    this.#labels = labels;
    this.#isNamed = host.hasAttribute("aria-label") || host.hasAttribute("aria-labelledby");
    this.#context = {
      labels,
      iconAssistant,
      canStop,
      breaks,
      me: /** @type {string | null} */ (null),
      role: /** @type {string | null} */ (null),
      stop: (/** @type {string} */ id) => this.#connection.send({ t: "stop", id }),
    };
    this.#clock = new Clock("labchat-clock", labels.language);
    this.#turn = new Clock("labchat-turn", labels.language);
    this.#status = new Status(labels, host);
    this.#presence = new Presence(labels);
    this.#typing = new TypingIndicator(labels);
    this.#question = new Question(labels, host.id, (id) => this.#connection.send({ t: "confirm", id }));
    this.#done = new DoneButton(options.done, host.id, (cid) => this.#connection.send({ t: "done", cid }));
    this.#transcript = new Transcript(this.#context, (before) => this.#connection.send({ t: "older", before }));
    this.#outbox = new Outbox(labels, (cid, text, typed) =>
      this.#connection.send({ t: "send", cid, text, ...(typed && { typed }) }),
    );
    this.#composer = new Composer(composerIn(host), host.id, labels, {
      send: (text, typed) => this.#send(text, typed),
      type: () => this.#connection.send({ t: "typing" }),
      change: () => this.#drafts.saveLater(),
    });
    this.#drafts = new Drafts(host.id, () => ({
      draft: this.#composer.draft,
      typed: this.#composer.telemetry.typed,
      waiting: this.#outbox.unconfirmed,
    }));
    this.#connection = new Connection({
      path: "labchat/ws",
      place: () => ({ after: this.#cursor }),
      receive: (frame) => this.#receive(frame),
      lose: (bye) => this.#lose(bye && labels.sentence(bye.code, bye.say)),
      end: ({ code, say }) => options.onEnd(code, say),
    });
    this.#build();
  }

  /** Start: the element is in the page. */
  open() {
    const { signal } = (this.#listeners = new AbortController());
    watchWaking((isDoubtful) => this.#wake(isDoubtful), signal);
    whenForgotten(() => this.#forgetSoon(), signal);
    window.addEventListener("pagehide", () => this.#saveDrafts(), { signal });
    document.addEventListener("visibilitychange", () => this.#saveDrafts(), { signal });
    this.#composer.listen();
    this.#presence.listen();
    this.#transcript.watch();
    this.#connection.resume();
  }

  /** Stop: the element has left the page. */
  close() {
    this.#saveDrafts();
    this.#listeners.abort();
    this.#composer.unlisten();
    this.#presence.unlisten();
    this.#transcript.unwatch();
    this.#status.close();
    this.#question.hide();
    this.#clock.close();
    this.#turn.close();
    this.#done.close();
    this.#connection.pause();
  }

  /** Whether the connection is open. */
  get isOpen() {
    return this.#connection.isOpen;
  }

  /**
   * What the next Shiny session needs to go on where this one ends. Null if it was never let in.
   *
   * @returns {import("./page/shiny.js").LostSession | null}
   */
  get position() {
    const unsure = this.#outbox.unconfirmed.map(([cid]) => cid);
    return this.#state ? { who: this.#drafts.who, since: this.#cursor, unsure } : null;
  }

  /**
   * Join, or join again, with a ticket. Nothing changes for the same person in the same room.
   *
   * @param {string} ticket
   * @param {string} who differs for each person and room
   */
  admit(ticket, who) {
    if (this.#drafts.who !== who) this.#switchTo(who);
    if (!this.#connection.isOpen && !this.#state) {
      this.#status.show("joining");
      this.#composer.lock(null); // what is sent now waits for the connection
    }
    this.#retired = "";
    this.#connection.connect(ticket);
  }

  /** Forget the room and the person in it. Unsent text is kept in case the person returns. */
  leave() {
    this.#disconnect();
    if (this.#drafts.who) {
      this.#drafts.setAside();
      this.#outbox.empty();
      this.#composer.empty();
    }
    this.#cursor = "";
    this.#state = null;
    this.#context.me = this.#context.role = null;
    this.#me.hidden = this.#title.hidden = true;
    this.#transcript.reset([], false);
    if (this.#isForgetting) this.dropUnsent();
  }

  /** Drop what was not sent: this tab is a copy, and the text belongs to the original. */
  dropUnsent() {
    this.#drafts.discard();
    this.#outbox.empty();
    this.#composer.empty();
  }

  /** Show this greeting; null: none. @param {import("./protocol.js").ShownMessage | null} greeting */
  showGreeting(greeting) {
    this.#transcript.showGreeting(greeting);
  }

  /** Show a note beside the status. @param {string} words */
  showNote(words) {
    this.#status.showNote(words);
  }

  /** Show that there is no room yet. */
  waitForRoom() {
    this.leave();
    this.#lock("waiting", this.#labels.text("waiting"));
  }

  /** End the chat; the messages stay readable. @param {string} code @param {string} say */
  end(code, say) {
    this.#stop();
    this.#lock(code === "removed" ? "removed" : "gone", this.#labels.sentence(code, say));
  }

  /** Stop, and leave the page as it is: the app has ended the chat. @param {string} words said to who sends */
  retire(words) {
    this.#stop();
    this.#retired = words;
  }

  /** Show that the connection is lost and a new one is on its way. */
  showReconnecting() {
    this.#lose();
  }

  #build() {
    const { host, messages } = this.#options;
    const { log, gauge, button, announcements } = this.#transcript;
    const box = composerIn(host);
    if (!host.hasAttribute("role")) mark(host, "role", "region"); // a landmark, so that it is found by its name
    this.#nameHost();
    this.#status.element.id = `${host.id}_status`;
    const parts = [this.#title, this.#presence.element, this.#status.element, this.#clock.element];
    const header = make("div", { class: "labchat-header" }, ...parts, this.#turn.element);
    const stage = make("div", { class: "labchat-stage" }, log, gauge, button, announcements);
    box.prepend(this.#me);
    host.prepend(header, stage, this.#outbox.element, this.#typing.element, this.#question.element);
    box.after(this.#done.element);
    listenForSuggestions(log, (text, isSent) => (isSent ? this.#composer.send(text) : this.#composer.fill(text)));
    this.#transcript.drawInitial(messages);
  }

  /** @param {boolean} isDoubtful */
  #wake(isDoubtful) {
    this.#transcript.renameDays();
    this.#connection.wake(isDoubtful);
    if (isDoubtful) this.#options.onDoubt();
  }

  /** @param {string} who */
  #switchTo(who) {
    if (this.#drafts.who) this.leave();
    this.#isForgetting = false;
    const left = this.#drafts.switchTo(who);
    if (!left) return;
    for (const [cid, text, typed = null] of left.waiting) this.#outbox.put(text, typed, cid);
    this.#composer.telemetry.restore(left.typed);
    // the browser may have restored it already
    if (!this.#composer.draft.startsWith(left.draft)) this.#composer.restore(left.draft);
  }

  /** Stop for good; what was not sent is in the box again, unless it is to be forgotten. */
  #stop() {
    this.#disconnect();
    this.#transcript.disconnect();
    this.#composer.restore(this.#outbox.withdrawAll().join("\n"));
    if (this.#isForgetting) this.#forget();
  }

  /** Save what was not sent, unless it may be to be forgotten: the page may not live until that is known. */
  #saveDrafts() {
    if (this.#isForgetting) this.#drafts.discard();
    else this.#drafts.save();
  }

  #disconnect() {
    this.#connection.end();
    this.#question.hide();
    this.#clock.show();
    this.#turn.show();
    this.#composer.hold();
    this.#done.show(null);
    this.#typing.show([], null);
    this.#presence.show({ t: "presence", n: 0, who: [] }, null);
  }

  /** @param {StatusName} status @param {string} words */
  #lock(status, words) {
    this.#status.show(status, words);
    this.#composer.lock(words);
  }

  // ── what the server sends ───────────────────────────────────────────────────────────────

  /** @param {Frame} frame */
  #receive(frame) {
    if (frame.t === "chunks") this.#transcript.grow(frame.of);
    else if (frame.t === "events") this.#addItems(frame.e);
    else if (frame.t === "welcome") this.#enter(frame);
    else if (frame.t === "older") this.#transcript.addOlder(frame.e, frame.more, frame.before);
    else if (frame.t === "acks") this.#confirm(frame.of);
    else if (frame.t === "refused") this.#returnRefused(frame);
    else if (frame.t === "state") this.#applyState(frame.state);
    else if (frame.t === "presence" || frame.t === "here") this.#showPresence(frame);
    else if (frame.t === "typing") this.#typing.show(frame.who, this.#context.me);
    else if (frame.t === "asked") this.#question.show(frame);
  }

  /** @param {Welcome} welcome */
  #enter({ you, max, title, state, e: items, more, before, reset }) {
    if (this.#status.current === "reconnecting") this.#status.showReconnected();
    this.#context.me = you.h;
    this.#context.role = you.role;
    this.#composer.allow(max);
    this.#composer.telemetry.note();
    this.#transcript.reconnect();
    if (reset) this.#cursor = "";
    if (reset) this.#draw(items, this.#transcript.reset(items, more, before));
    else this.#addItems(items);
    this.#applyState({ name: you.name, title, ...state });
    this.#outbox.sendAgain();
    this.#done.sendAgain();
    loadRendererWhenIdle();
  }

  /** Forget what the person has said; a room that goes on for them is another matter. */
  #forgetSoon() {
    this.#isForgetting = true;
    if (!this.#connection.isOpen) this.#forget();
  }

  #forget() {
    this.dropUnsent();
    this.#transcript.withdraw(this.#context.me);
    this.#me.hidden = true;
  }

  /** Let nothing stay of those who have withdrawn. @param {import("./protocol.js").WithdrawnItem[]} withdrawn */
  #note(withdrawn) {
    if (!withdrawn.length) return;
    this.#typing.stop(new Set(withdrawn.map(({ h }) => h)));
    if (withdrawn.some(({ h }) => h === this.#context.me)) this.#forget();
    if (!withdrawn.some(({ anew }) => anew)) return;
    this.#cursor = "";
    this.#connection.wake(true); // its welcome has all that is shown, as it is now
  }

  /** @param {Item[]} items */
  #addItems(items) {
    const messages = items.filter(isMessage).map(shownOf);
    if (messages.length) this.#composer.telemetry.note();
    this.#draw(items, this.#transcript.add(items));
    this.#typing.stop(new Set(messages.map(({ h }) => h ?? null)));
    countUnread(messages.filter((message) => !isOwn(message, this.#context)).length);
    this.#note(items.filter(isWithdrawal));
  }

  /** @param {Item[]} items @param {Promise<void>} drawing */
  #draw(items, drawing) {
    this.#cursor = items.at(-1)?.id ?? this.#cursor;
    this.#drawing = Promise.all([this.#drawing, drawing]).then(() => this.#showState());
  }

  /** @param {[cid: string, id: string][]} stored */
  async #confirm(stored) {
    for (const [cid] of stored) this.#outbox.confirm(cid);
    this.#drafts.save();
    await this.#drawing;
    for (const [cid] of stored) this.#outbox.withdraw(cid);
  }

  /** @param {import("./protocol.js").Refused} refused */
  #returnRefused({ cid, code, say }) {
    if (this.#done.refuse(cid, this.#labels.sentence(code, say))) return;
    const refused = this.#outbox.withdraw(cid);
    if (!refused) return;
    this.#composer.telemetry.restore(refused.typed);
    this.#composer.refuse(refused.text, this.#labels.sentence(code, say));
  }

  /** @param {RoomState} state */
  #applyState(state) {
    this.#state = { ...this.#state, ...state };
    this.#clock.show(state.clock);
    this.#turn.show(againOf(state.hold) ?? state.turn, state.turn);
    this.#composer.hold(state.hold);
    if (state.max !== undefined) this.#composer.allow(state.max);
    this.#done.show(state);
    this.#title.replaceChildren(state.title ?? "");
    this.#title.hidden = !state.title;
    this.#transcript.log.setAttribute("aria-label", state.title || this.#labels.text("log"));
    this.#nameHost(state.title);
    this.#showOwnName(state.name ?? null);
    this.#showState();
    const reason = this.#labels.sentence(state.code, state.say ?? this.#labels.text("readonly"));
    const words = state.code === "read_only" ? this.#labels.text("only_reading") : undefined;
    this.#composer.lock(state.write ? null : reason, words);
    this.#composer.telemetry.count(state.typed ?? null);
    this.#composer.forbidPaste(state.no_paste ? this.#labels.sentence("pasted", state.no_paste) : "");
  }

  /** Name the landmark, unless the app has. @param {string | null} [title] */
  #nameHost(title) {
    const { host } = this.#options;
    if (!this.#isNamed) mark(host, "aria-label", title || this.#labels.text("room"));
  }

  #showState() {
    if (!this.#state || !this.#connection.isOpen) return;
    this.#status.showRoom(this.#state, this.#presence.count === 1 && this.#transcript.isEmpty);
  }

  /** @param {string | null} name */
  #showOwnName(name) {
    const nodes = name === null ? [] : this.#labels.nodes("you_are", { name });
    this.#me.replaceChildren(participantAvatar(this.#context.me, name), make("span", {}, ...nodes));
    this.#me.hidden = name === null;
  }

  /** @param {import("./protocol.js").Presence | import("./protocol.js").Here} presence */
  #showPresence(presence) {
    if (presence.t === "presence") this.#presence.show(presence, this.#context.me);
    else this.#presence.change(presence, this.#context.me);
    this.#showState();
  }

  /** @param {string} [words] */
  #lose(words) {
    this.#status.show("reconnecting", words);
    this.#typing.show([], null);
    this.#outbox.showUnsent();
  }

  /** @param {string} text @param {import("./protocol.js").Typed | null} typed how it was written */
  #send(text, typed) {
    if (this.#retired) return this.#composer.refuse(text, this.#retired);
    this.#outbox.put(text, typed);
    this.#drafts.save();
    this.#transcript.toBottom();
  }
}

/** The time until somebody can send a message again. @param {import("./protocol.js").Hold} [hold] */
function againOf(hold) {
  if (!hold || hold.left === undefined || !hold.text) return undefined;
  return { is: "again", left: hold.left, text: hold.text };
}

/**
 * The element around Shiny's textarea, made if it is missing.
 *
 * @param {HTMLElement} host
 * @returns {HTMLElement}
 */
function composerIn(host) {
  const box = host.querySelector(":scope > .labchat-composer");
  return /** @type {HTMLElement | null} */ (box) ?? host.appendChild(make("div", { class: "labchat-composer" }));
}
