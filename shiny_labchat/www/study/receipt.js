// @ts-check
import { make } from "../dom.js";
import { completionCode } from "./completion_code.js";

/**
 * The code with which a person can withdraw later, and a link to the page where they do. It is below
 * the code of their end, so that nobody takes the one for the other.
 *
 * @param {import("../protocol.js").Receipt} receipt
 */
export function receiptCode(receipt) {
  const { href, label } = receipt.link;
  const link = make("a", { href, target: "_blank", rel: "noopener" }, label);
  return make("div", { class: "labchat-study-receipt" }, completionCode(receipt), make("p", {}, link));
}
