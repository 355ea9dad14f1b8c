// @ts-check
import { query, setInput } from "./shiny.js";

/** The input with the names of the page's event inputs. */
const EVENTS = ".clientdata_labchat_events";

/**
 * Tell each session of the page which inputs are events: only the browser knows it.
 *
 * A session that begins later gets their values with all others, and must not take them for events.
 * What happens before the first session began is sent to it as events, so it is listed afterwards.
 */
export function listEvents() {
  /** @type {Set<string>} */
  const names = new Set();
  let hasSession = false;
  const list = () => setInput(EVENTS, [...names]);
  query(document).on("shiny:sessioninitialized", () => {
    hasSession = true;
    if (names.size) list();
  });
  query(document).on("shiny:inputchanged", ({ name, priority }) => {
    if (priority !== "event" || names.has(name)) return;
    names.add(name);
    if (hasSession) list();
  });
}
