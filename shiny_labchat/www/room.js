// @ts-check
import { Composer } from "./composer/composer.js";
import { Unsent } from "./composer/drafts.js";
import { Line } from "./connection/connection.js";
import { Outbox } from "./connection/outbox.js";
import { takeSuggestions } from "./content/suggestions.js";
import { make } from "./dom.js";
import { countUnread } from "./page/unread.js";
import { watchWaking } from "./page/wake.js";
import { participantAvatar } from "./people/avatar.js";
import { Presence } from "./people/presence.js";
import { TypingLine } from "./people/typing.js";
import { Status } from "./status.js";
import { isOwn } from "./transcript/message.js";
import { Transcript } from "./transcript/transcript.js";

/**
 * @typedef {import("./protocol.js").Item} Item
 * @typedef {import("./protocol.js").Frame} Frame
 * @typedef {import("./protocol.js").Welcome} Welcome
 * @typedef {import("./protocol.js").RoomState} RoomState
 * @typedef {import("./status.js").Standing} Standing
 * @typedef {{
 *   host: HTMLElement,
 *   labels: import("./labels.js").Labels,
 *   messages: import("./protocol.js").Shown[],
 *   iconAssistant: string | null,
 *   canStop: boolean,
 *   onPart: (code: string, say: string) => void,
 *   onDoubt: () => void,
 * }} RoomOptions onPart: the server has ended the line for good; onDoubt: connections may be dead
 */

/** One room as one person sees it: what the line says is drawn, what is typed goes into the line. */
export class Room {
  #options;
  #labels;
  #setting;
  #status;
  #presence;
  #typing;
  #transcript;
  #outbox;
  #composer;
  #unsent;
  #line;
  #title = make("div", { class: "labchat-title", hidden: true });
  #me = make("div", { class: "labchat-me", hidden: true });
  #listening = new AbortController();
  /** @type {RoomState | null} */
  #state = null;
  #cursor = 0;
  #drawn = 0;

  /** @param {RoomOptions} options */
  constructor(options) {
    const { host, labels, iconAssistant, canStop } = (this.#options = options);
    this.#labels = labels;
    this.#setting = {
      labels,
      iconAssistant,
      canStop,
      me: /** @type {string | null} */ (null),
      role: /** @type {string | null} */ (null),
      stop: (/** @type {number} */ seq) => this.#line.tell({ t: "stop", seq }),
    };
    this.#status = new Status(labels);
    this.#presence = new Presence(labels);
    this.#typing = new TypingLine(labels);
    this.#transcript = new Transcript(this.#setting, (before) => this.#line.tell({ t: "older", before }));
    this.#outbox = new Outbox(labels, (cid, text) => this.#line.tell({ t: "send", cid, text }));
    this.#composer = new Composer(composerIn(host), host.id, labels, {
      send: (text) => this.#send(text),
      type: () => this.#line.tell({ t: "typing" }),
      change: () => this.#unsent.keepLater(),
    });
    this.#unsent = new Unsent(host.id, () => ({
      draft: this.#composer.draft,
      waiting: this.#outbox.unconfirmed,
    }));
    this.#line = new Line({
      cursor: () => this.#cursor,
      hear: (frame) => this.#hear(frame),
      lose: (bye) => this.#lose(bye && labels.sentence(bye.code, bye.say)),
      part: ({ code, say }) => options.onPart(code, say),
    });
    this.#build();
  }

  /** The element is in the page. */
  open() {
    const { signal } = (this.#listening = new AbortController());
    watchWaking((isDoubtful) => this.#wake(isDoubtful), signal);
    window.addEventListener("pagehide", () => this.#unsent.keep(), { signal });
    document.addEventListener("visibilitychange", () => this.#unsent.keep(), { signal });
    this.#composer.listen();
    this.#presence.listen();
    this.#transcript.watch();
    this.#line.reopen();
  }

  /** The element is in the page no more. */
  close() {
    this.#unsent.keep();
    this.#listening.abort();
    this.#composer.unlisten();
    this.#presence.unlisten();
    this.#transcript.unwatch();
    this.#status.close();
    this.#line.pause();
  }

  /** Whether the line holds. */
  get isOpen() {
    return this.#line.isOpen;
  }

  /**
   * Where a session must go on that takes over from one that is lost now; null: it had not begun.
   *
   * @returns {import("./page/shiny.js").Lost | null}
   */
  get standing() {
    const unsure = this.#outbox.unconfirmed.map(([cid]) => cid);
    return this.#cursor ? { who: this.#unsent.who, since: this.#cursor, unsure } : null;
  }

  /**
   * Enter, or enter again, with a ticket. For the same person in the same room nothing changes.
   *
   * @param {string} ticket
   * @param {string} who another for each person and room
   */
  admit(ticket, who) {
    if (this.#unsent.who !== who) this.#become(who);
    if (!this.#line.isOpen && !this.#state) {
      this.#status.show("joining");
      this.#composer.lock(null); // what is sent by now waits for the line
    }
    this.#line.admit(ticket);
  }

  /** Forget this room and who one was in it; what was not sent waits for their return. */
  leave() {
    this.#hangUp();
    if (this.#unsent.who) {
      this.#unsent.leave();
      this.#outbox.empty();
      this.#composer.empty();
    }
    this.#cursor = this.#drawn = 0;
    this.#state = null;
    this.#setting.me = this.#setting.role = null;
    this.#me.hidden = this.#title.hidden = true;
    this.#transcript.reset([], false);
  }

  /** This tab is a copy: what was not sent is the other's. */
  disown() {
    this.#unsent.disown();
    this.#outbox.empty();
    this.#composer.empty();
  }

  /** Greet so, or (null) not at all. @param {import("./protocol.js").Shown | null} greeting */
  greet(greeting) {
    this.#transcript.greet(greeting);
  }

  /** What is to be said besides. @param {string} words */
  remark(words) {
    this.#status.remark(words);
  }

  /** There is no room yet. */
  wait() {
    this.leave();
    this.#lock("waiting", this.#labels.text("waiting"));
  }

  /** It is over; what was said stays to be read. @param {string} code @param {string} say */
  end(code, say) {
    this.#hangUp();
    this.#transcript.leave();
    this.#composer.restore(this.#outbox.withdrawAll().join("\n"));
    this.#lock(code === "removed" ? "removed" : "gone", this.#labels.sentence(code, say));
  }

  /** The line is down, and help is on its way. */
  pend() {
    this.#lose();
  }

  #build() {
    const { host, messages } = this.#options;
    const { log, gauge, button, voice } = this.#transcript;
    const box = composerIn(host);
    this.#status.element.id = `${host.id}_status`;
    const header = make("div", { class: "labchat-header" }, this.#title, this.#presence.element, this.#status.element);
    const stage = make("div", { class: "labchat-stage" }, log, gauge, button, voice);
    box.prepend(this.#me);
    host.prepend(header, stage, this.#outbox.element, this.#typing.element);
    takeSuggestions(log, (text, isSent) => (isSent ? this.#composer.send(text) : this.#composer.fill(text)));
    this.#transcript.begin(messages);
  }

  /** @param {boolean} isDoubtful */
  #wake(isDoubtful) {
    this.#transcript.renameDays();
    this.#line.wake(isDoubtful);
    if (isDoubtful) this.#options.onDoubt();
  }

  /** @param {string} who */
  #become(who) {
    if (this.#unsent.who) this.leave();
    const left = this.#unsent.claim(who);
    if (!left) return;
    for (const [cid, text] of left.waiting) this.#outbox.put(text, cid);
    // the browser may have put it there itself
    if (!this.#composer.draft.startsWith(left.draft)) this.#composer.restore(left.draft);
  }

  #hangUp() {
    this.#line.hangUp();
    this.#typing.show([], null);
    this.#presence.show({ t: "presence", n: 0, who: [] }, null);
  }

  /** @param {Standing} standing @param {string} words */
  #lock(standing, words) {
    this.#status.show(standing, words);
    this.#composer.lock(words);
  }

  // ── what the line says ──────────────────────────────────────────────────────────────────

  /** @param {Frame} frame */
  #hear(frame) {
    if (frame.t === "chunks") this.#transcript.grow(frame.of);
    else if (frame.t === "events") this.#learn(frame.upto, frame.e);
    else if (frame.t === "welcome") this.#enter(frame);
    else if (frame.t === "older") this.#transcript.addOlder(frame.e, frame.more);
    else if (frame.t === "acks") this.#confirm(frame.of);
    else if (frame.t === "refused") this.#takeBack(frame);
    else if (frame.t === "state") this.#obey(frame.state);
    else if (frame.t === "presence") this.#meet(frame);
    else if (frame.t === "typing") this.#typing.show(frame.who, this.#setting.me);
  }

  /** @param {Welcome} welcome */
  #enter({ you, max, title, state, upto, e: items, more, reset }) {
    if (this.#status.standing === "reconnecting") this.#status.greetBack();
    this.#setting.me = you.h;
    this.#setting.role = you.role;
    this.#composer.allow(max);
    this.#transcript.renew();
    if (reset) this.#draw(upto, this.#transcript.reset(items, more));
    else this.#learn(upto, items);
    this.#obey({ name: you.name, title, ...state });
    this.#outbox.sendAgain();
  }

  /** @param {number} upto @param {Item[]} items */
  #learn(upto, items) {
    const messages = items.filter((item) => item.k === "msg");
    this.#draw(upto, this.#transcript.add(items));
    this.#typing.stop(new Set(messages.map(({ h }) => h)));
    countUnread(messages.filter((message) => !isOwn(message, this.#setting)).length);
  }

  /** @param {number} upto @param {Promise<void>} drawing */
  async #draw(upto, drawing) {
    this.#cursor = upto;
    await drawing;
    this.#drawn = upto;
    this.#outbox.settle(upto);
    this.#restate();
  }

  /** @param {[cid: string, seq: number][]} stored */
  #confirm(stored) {
    for (const [cid, seq] of stored) this.#outbox.confirm(cid, seq);
    this.#unsent.keep();
    this.#outbox.settle(this.#drawn);
  }

  /** @param {import("./protocol.js").Refused} refused */
  #takeBack({ cid, code, say }) {
    const text = this.#outbox.withdraw(cid);
    if (text !== null) this.#composer.refuse(text, this.#labels.sentence(code, say));
  }

  /** @param {RoomState} state */
  #obey(state) {
    this.#state = { ...this.#state, ...state };
    this.#title.replaceChildren(state.title ?? "");
    this.#title.hidden = !state.title;
    this.#transcript.log.setAttribute("aria-label", state.title || this.#labels.text("log"));
    this.#introduce(state.name ?? null);
    this.#restate();
    const reason = this.#labels.sentence(state.code, state.say ?? this.#labels.text("readonly"));
    this.#composer.lock(state.write ? null : reason);
  }

  #restate() {
    if (!this.#state || !this.#line.isOpen) return;
    this.#status.showRoom(this.#state, this.#presence.count === 1 && this.#transcript.isEmpty);
  }

  /** @param {string | null} name */
  #introduce(name) {
    const nodes = name === null ? [] : this.#labels.nodes("you_are", { name });
    this.#me.replaceChildren(participantAvatar(this.#setting.me, name), make("span", {}, ...nodes));
    this.#me.hidden = name === null;
  }

  /** @param {import("./protocol.js").Presence} presence */
  #meet(presence) {
    this.#presence.show(presence, this.#setting.me);
    this.#restate();
  }

  /** @param {string} [words] */
  #lose(words) {
    this.#status.show("reconnecting", words);
    this.#typing.show([], null);
    this.#outbox.hold();
  }

  /** @param {string} text */
  #send(text) {
    this.#outbox.put(text);
    this.#unsent.keep();
    this.#transcript.toBottom();
  }
}

/**
 * Where Shiny's textarea is.
 *
 * @param {HTMLElement} host
 * @returns {HTMLElement}
 */
function composerIn(host) {
  const box = host.querySelector(":scope > .labchat-composer");
  return /** @type {HTMLElement | null} */ (box) ?? host.appendChild(make("div", { class: "labchat-composer" }));
}
