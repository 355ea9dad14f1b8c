// @ts-check
import { DuplicateWatch } from "./duplicate.js";
import { Keys } from "./identity.js";
import { Labels } from "./labels.js";
import { Room } from "./room.js";
import { collect, register } from "./shiny.js";

/**
 * @typedef {import("./shiny.js").Notice} Notice
 */

/** How long Shiny's session may take to give a new ticket. */
const TICKET_WITHIN = 8000;
/** When to ask again after "not now", at the earliest; at most twice as late. */
const ASK_AGAIN = 5000;

/**
 * `<labchat-room>`: asks its Shiny session who this browser is, and enters the room it is given.
 */
export class LabchatRoom extends HTMLElement {
  /** @type {Room | null} */
  #room = null;
  /** @type {Keys | null} */
  #keys = null;
  /** @type {DuplicateWatch | null} */
  #watch = null;
  #asked = Date.now();
  #patience = 0;
  #who = "";
  #isPending = false;

  /** Set by Shiny's binding: sends `asking` to the session. @type {(() => void) | null} */
  whenAsking = null;

  connectedCallback() {
    this.#keys ??= new Keys(this.dataset.person);
    this.#room ??= this.#build();
    this.#room.open();
    this.#watch = this.#watchDuplicates(this.#keys);
    collect(this);
  }

  disconnectedCallback() {
    clearTimeout(this.#patience);
    this.#watch?.close();
    this.#room?.close();
  }

  /** What the session is asked: who is this? `n` makes it a new question. */
  get asking() {
    return { browser: this.#keys?.browser, tab: this.#keys?.tab, n: this.#asked };
  }

  /** What the session answers. @param {Notice} notice */
  heed(notice) {
    clearTimeout(this.#patience);
    this.#isPending = false;
    if (notice.do === "admit") this.#enter(notice);
    else if (notice.do === "wait") this.#room?.wait();
    else if (notice.do === "refuse") this.#stayOut(notice);
    else if (notice.do === "left") this.#room?.end("left", this.#labels().text("left"));
  }

  #build() {
    return new Room({
      host: this,
      labels: this.#labels(),
      messages: json(this.dataset.messages, []),
      iconAssistant: this.dataset.iconAssistant ?? null,
      onPart: (code, say) => this.#part(code, say),
    });
  }

  #labels() {
    return new Labels(json(this.dataset.labels, {}));
  }

  /** @param {{ticket: string, who: string}} notice who: another for each person and room */
  #enter({ ticket, who }) {
    if (this.#who && this.#who !== who) this.#room?.leave();
    this.#who = who;
    this.#room?.admit(ticket);
  }

  /** @param {{code: string, say: string, again?: boolean}} notice */
  #stayOut({ code, say, again }) {
    this.#room?.end(code, say);
    if (again) this.#patience = window.setTimeout(() => this.#ask(), ASK_AGAIN * (1 + Math.random()));
  }

  /**
   * A permission that has run out is renewed, once; anything else is final.
   *
   * @param {string} code
   * @param {string} say
   */
  #part(code, say) {
    if (code !== "ticket" || this.#isPending) return this.#room?.end(code, say);
    this.#isPending = true;
    this.#room?.pend();
    this.#patience = window.setTimeout(() => this.#room?.end(code, say), TICKET_WITHIN);
    this.#ask();
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
customElements.define("labchat-room", LabchatRoom);
