// @ts-check
import { make, mark } from "../dom.js";
import { inDigits } from "../page/digits.js";

/** The button with which people say that they are done; it says why they cannot yet. */
export class DoneButton {
  #onPress;
  /** The id of what was pressed and is not answered yet; "": nothing is. */
  #pressed = "";
  /** @type {import("../protocol.js").RoomState | null} */
  #state = null;
  #isDead = true;
  /** When it may be pressed at the earliest, by this browser's clock, in milliseconds. */
  #from = 0;
  #timer = 0;
  #button;
  #words;
  #statusId;
  element = make("div", { class: "labchat-done", hidden: true });

  /**
   * @param {string | null} label null: the app wants no button
   * @param {string} id the chat's, by which the button's words are found
   * @param {(cid: string) => void} onPress sends it
   */
  constructor(label, id, onPress) {
    this.#onPress = onPress;
    this.#words = make("span", { id: `${id}_done`, role: "status", tabindex: -1 });
    this.#statusId = `${id}_status`; // it says why nobody can write yet
    this.#button = label === null ? null : make("button", { type: "button", class: "btn btn-primary" }, label);
    if (this.#button) this.element.append(this.#words, this.#button);
    this.#button?.addEventListener("click", () => this.#press());
  }

  /** Show what holds for this person; null: nothing is known. @param {import("../protocol.js").RoomState | null} state */
  show(state) {
    this.#state = state;
    this.#from = Date.now() + (state?.later?.left ?? 0);
    if (!state || state.done || state.is !== "open") this.#pressed = "";
    this.#draw();
  }

  /** Stop, as the element has left the page; `show` goes on. */
  close() {
    clearTimeout(this.#timer);
  }

  /** Send again what was pressed, if the connection was lost before there was an answer. */
  sendAgain() {
    if (this.#pressed) this.#onPress(this.#pressed);
  }

  /**
   * Show why it was refused; return whether it was this that was.
   *
   * @param {string} cid
   * @param {string} words
   */
  refuse(cid, words) {
    if (cid !== this.#pressed) return false;
    this.#pressed = "";
    this.#draw(words);
    return true;
  }

  #press() {
    if (this.#isDead) return;
    this.#pressed = crypto.randomUUID?.() ?? `done-${Date.now()}`;
    this.#draw();
    this.#onPress(this.#pressed);
  }

  /** @param {string} [words] said instead of what follows from the state */
  #draw(words) {
    const state = this.#state;
    if (!this.#button) return;
    this.element.hidden = !state || state.is !== "open" || state.code === "read_only";
    const isFocused = document.activeElement === this.#button;
    const wait = this.#wait();
    this.#isDead = Boolean(this.#pressed || !state || state.gate || wait || state.code === "not_yet");
    mark(this.#button, "aria-disabled", this.#isDead && "true");
    mark(this.#button, "aria-describedby", `${this.#words.id} ${state?.code === "not_yet" ? this.#statusId : ""}`.trim());
    mark(this.#button, "aria-busy", this.#pressed !== "" && "true");
    this.#button.hidden = Boolean(state?.done);
    mark(this.#words, "aria-live", wait && "off"); // nobody wants to hear each second
    this.#words.replaceChildren(words ?? state?.done ?? wait ?? state?.gate ?? "");
    if (isFocused && this.#button.hidden) this.#words.focus();
  }

  /** What is said while it may not be pressed yet, whatever is written; it is drawn again as that time passes. */
  #wait() {
    clearTimeout(this.#timer);
    const later = this.#state?.later;
    const left = later?.runs ? this.#from - Date.now() : (later?.left ?? 0);
    if (!later || left <= 0) return undefined;
    if (later.runs) this.#timer = window.setTimeout(() => this.#draw(), left % 1000 || 1000);
    return later.text.replace("{time}", inDigits(left));
  }
}
