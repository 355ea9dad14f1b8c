// @ts-check
import { make } from "../dom.js";
import { stopButton } from "./stop.js";
import { ScreenView } from "./view.js";

/**
 * @typedef {import("./study.js").Study} Study
 * @typedef {import("./study.js").Shown} Shown
 */

/** An element that is drawn anew may be missing for less, in milliseconds. */
const MISSING_AFTER = 1000;
/** Screens that need an answer wherever a person is. */
const URGENT = ["ready", "idle", "wait_again", "other_window"];

/**
 * What a page shows of a study that no element draws: at its end the button to stop, or how the study
 * ended; in a dialog what needs an answer.
 */
export class PageEnd {
  #study;
  #timer = 0;
  /** @type {Shown | null} */
  #shown = null;
  #foot = make("div", { class: "labchat-study-foot" });
  #dialog = make("dialog", { class: "labchat-dialog" });
  #stop = "";
  /** @type {ScreenView | null} */
  #view = null;

  /** @param {Study} study */
  constructor(study) {
    this.#study = study;
    this.#dialog.addEventListener("cancel", (event) => event.preventDefault()); // it waits for an answer
  }

  /** @param {Shown | null} shown */
  show(shown) {
    this.#shown = shown;
    clearTimeout(this.#timer);
    if (this.#study.isDrawn || !shown) this.#clear();
    else if (this.#foot.isConnected) this.#draw(shown);
    else this.#timer = window.setTimeout(() => this.#shown && this.#draw(this.#shown), MISSING_AFTER);
  }

  /** @param {boolean} isBusy */
  setBusy(isBusy) {
    this.#view?.setBusy(isBusy);
  }

  /** @param {string} say */
  refuse(say) {
    this.#view?.refuse(say);
  }

  #clear() {
    this.#foot.remove();
    this.#close();
  }

  #close() {
    this.#view?.close();
    this.#view?.element.remove();
    this.#view = null;
    this.#stop = "";
    if (this.#dialog.open) this.#dialog.close();
    this.#dialog.remove();
  }

  /** @param {Shown} shown */
  #draw(shown) {
    const { is, stop } = shown.screen;
    const isUrgent = URGENT.includes(is);
    if (!this.#foot.isConnected) document.body.append(this.#foot);
    if (isUrgent || is === "ended") return this.#drawScreen(shown, isUrgent ? this.#dialog : this.#foot);
    if (this.#view) this.#close();
    const words = JSON.stringify(stop ?? null);
    if (this.#stop === words) return;
    this.#stop = words;
    this.#foot.replaceChildren(...(stop ? [stopButton(stop, this.#study)] : []));
  }

  /** @param {Shown} shown @param {HTMLElement} place */
  #drawScreen(shown, place) {
    if (this.#view?.element.parentElement !== place) {
      this.#close();
      this.#foot.replaceChildren();
      this.#view = new ScreenView(this.#study, {});
      place.replaceChildren(this.#view.element);
    }
    this.#view?.draw(shown);
    if (place !== this.#dialog) return place.scrollIntoView({ block: "nearest" });
    if (this.#dialog.open) return;
    document.body.append(this.#dialog);
    this.#dialog.showModal();
    this.#view?.takeFocus();
  }
}
