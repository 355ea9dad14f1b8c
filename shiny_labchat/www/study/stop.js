// @ts-check
import { make } from "../dom.js";
import { ask } from "./dialog.js";

/**
 * The button to stop taking part, and its question: keep my data, or delete them?
 *
 * @param {import("../protocol.js").Stop} stop
 * @param {import("./study.js").Study} study
 */
export function stopButton(stop, study) {
  const button = make("button", { type: "button", class: "labchat-study-stop" }, stop.label);
  button.addEventListener("click", () =>
    ask({
      title: stop.title,
      lines: [stop.text, stop.data, stop.limits],
      choices: [
        { label: stop.keep, class: "btn btn-outline-secondary", then: () => study.act("stop", { delete: false }) },
        { label: stop.delete, class: "btn btn-outline-danger", then: () => study.act("stop", { delete: true }) },
        { label: stop.cancel, class: "btn btn-primary" },
      ],
    }),
  );
  return button;
}
