// @ts-check
import { markPage } from "../page/marks.js";
import { isSessionLost } from "../page/shiny.js";
import { studyNamed } from "./study.js";
import { ScreenView } from "./view.js";

/**
 * `<labchat-study data-study="pilot">`: shows a person where they are in a study. Until the first
 * screen comes, it shows what the server has drawn in it.
 */
export class LabchatStudy extends HTMLElement {
  /** @type {ScreenView | null} */
  #view = null;

  connectedCallback() {
    this.#view ??= new ScreenView(this.#study, JSON.parse(this.dataset.words ?? "{}"));
    this.#study.add(this);
    markPage(isSessionLost());
  }

  /** Moved in the page: nothing is to be done. */
  connectedMoveCallback() {}

  disconnectedCallback() {
    this.#view?.close();
    this.#study.delete(this);
    markPage(isSessionLost());
  }

  /** Show a screen. @param {import("./study.js").Shown} shown */
  draw(shown) {
    this.#drawn?.draw(shown);
  }

  /** Nothing can be pressed while an answer is on its way. @param {boolean} isBusy */
  setBusy(isBusy) {
    this.#view?.setBusy(isBusy);
  }

  /** Say why something was refused. @param {string} say */
  refuse(say) {
    this.#drawn?.refuse(say);
  }

  /** Say whether the connection is lost. @param {import("./study.js").LinkState} state */
  showLink(state) {
    (state === "open" ? this.#view : this.#drawn)?.showLink(state);
  }

  get #study() {
    return studyNamed(this.dataset.study ?? "");
  }

  /** The view, in the place of what the server has drawn. */
  get #drawn() {
    if (this.#view && this.#view.element.parentElement !== this) this.replaceChildren(this.#view.element);
    return this.#view;
  }
}
