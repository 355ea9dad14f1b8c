// @ts-check
import { make } from "../dom.js";
import { Keys, PAGE_ID } from "./identity.js";
import { fetchKey, pageKey } from "./key.js";

/**
 * Everything that this element uses of Shiny in the page. No other file uses Shiny directly.
 *
 * @typedef {{
 *   InputBinding: new () => object,
 *   inputBindings: {register: (binding: object, name: string) => void},
 *   addCustomMessageHandler: (type: string, handler: (message: any) => void) => void,
 *   initializedPromise: Promise<void>,
 *   setInputValue?: (name: string, value: unknown, options?: {priority: "event"}) => void,
 *   renderContentAsync: (el: Element, content: {html: string, deps: unknown[]}) => Promise<void>,
 *   renderDependenciesAsync: (deps: unknown[]) => Promise<void>,
 *   unbindAll: (scope: Element, includeSelf?: boolean) => void,
 *   bindAll?: (scope: Element) => Promise<void>,
 *   initializeInputs?: (scope: Element) => void,
 *   outputBindings: {bindingNames: Record<string, {binding: {renderValue: Function}}>},
 *   shinyapp?: {$socket?: SessionSocket | null},
 * }} ShinyPage
 * @typedef {{
 *   readyState: number,
 *   send: (data: string) => void,
 *   close: () => void,
 *   onmessage: ((event: any) => void) | null,
 *   onclose: ((event: any) => void) | null,
 * }} SessionSocket a websocket, or what a host has in its place, which has no more than this
 * @typedef {{name: string, value: unknown, priority?: string, preventDefault: () => void, socket?: SessionSocket}} InputChanged
 * @typedef {{
 *   find: (selector: string) => ArrayLike<Element>,
 *   on: (event: string, listener: (event: InputChanged) => void) => void,
 *   off: (event: string) => void,
 *   data: (name: string) => any,
 *   trigger: (event: string) => void,
 * }} Query
 *
 * @typedef {{do: "admit", ticket: string, who: string, returns: boolean, answers: boolean,
 *   greeting?: import("../protocol.js").ShownMessage}} Admission
 * @typedef {{id: string} & (Admission |
 *   {do: "greet", greeting: import("../protocol.js").ShownMessage | null} |
 *   {do: "wait"} | {do: "refuse", code: string, say: string, again?: boolean} | {do: "left"} |
 *   {do: "mismatch", say: string} | {do: "key"}
 * )} Notice a message from the server's Chat to its element.
 *   key: the page's key is not valid (any more);
 *   returns: a new session follows a lost one; answers: the app replies to messages
 *
 * @typedef {{who: string, since: string, unsure: string[]}} LostSession how far a page was when it lost
 *   its session: the person, the newest item it had, and the ids of unconfirmed messages
 *
 * @typedef {HTMLElement & {
 *   asking: {browser?: string, tab?: string, n: number} & Partial<LostSession>,
 *   whenAsking: (() => void) | null,
 *   receive: (notice: Notice) => void,
 * }} RoomElement
 */

const ROOM = "labchat-room";
/** The input by which the page says hello. */
const HELLO = ".clientdata_labchat_hello";

/** The keys of this browser and of this tab. */
const keys = new Keys(undefined);

/** @type {Map<string, Notice>} */
const pending = new Map();
/** What an element is told anew when it asks, as it does once it is drawn: by then it may be otherwise. */
const SAID_AGAIN = new Set(["wait", "refuse", "greet"]);

/** Who hears of the notices that are for no room, by what they ask for. @type {Map<string, (notice: any) => void>} */
const hearers = new Map();
/** How often the page has said hello. */
let greeted = 0;

/** How Shiny's server closes a session: when the app has failed, or has ended it. */
const CLOSED_BY_APP = 1001;

/** @typedef {{lose: () => void, regain: () => void, end: () => void}} SessionEvents end: the app has ended it, or failed */
/** @type {Set<SessionEvents>} */
const watchers = new Set();
/** @type {Set<() => void>} */
const beginnings = new Set();
let isLost = false;
/** @type {SessionSocket | undefined} */
let sessionSocket;
/** Whether the session has begun that the socket is for: before that, Shiny takes no messages. */
let hasBegun = false;
/** Who takes the session's messages that begin with a text, before Shiny does. @type {Map<string, (data: string) => void>} */
const takers = new Map();

/** @returns {ShinyPage | undefined} */
export function shiny() {
  return /** @type {any} */ (window).Shiny;
}

/**
 * @param {Element | Document} element
 * @returns {Query}
 */
export function query(element) {
  return /** @type {any} */ (window).jQuery(element);
}

/** Connect this page's elements with Shiny's session: an input binding and a message handler. */
export function register() {
  const page = shiny();
  if (!page) return;
  page.inputBindings.register(binding(page), "shiny_labchat.room");
  sayHello(page);
  page.addCustomMessageHandler("labchat", deliver);
  void fetchKey(sayAgain);
  query(document).on("shiny:disconnected", () => setSessionLost(true));
  query(document).on("shiny:sessioninitialized", () => {
    hasBegun = true;
    for (const listener of beginnings) listener();
  });
  query(document).on("shiny:connected", ({ socket }) => {
    setSessionLost(false);
    if (socket) adopt(socket);
  });
  if (page.setInputValue && page.shinyapp?.$socket) {
    adopt(page.shinyapp.$socket); // this script came later
    hasBegun = true;
  }
}

/** Hear what the session's socket hears. @param {SessionSocket} socket */
function adopt(socket) {
  const { onmessage, onclose } = socket;
  sessionSocket = socket;
  socket.onmessage = (event) => {
    for (const [beginning, take] of takers) {
      if (typeof event.data === "string" && event.data.startsWith(beginning)) return take(event.data);
    }
    onmessage?.call(socket, event);
  };
  socket.onclose = (event) => {
    onclose?.call(socket, event);
    if (event.code === CLOSED_BY_APP) for (const { end } of watchers) end();
  };
}

/** Take the messages of sessions that begin with this, before Shiny does. @param {string} beginning @param {(data: string) => void} take */
export function takeMessages(beginning, take) {
  takers.set(beginning, take);
}

/** Whether a message can be sent to the session now. */
export function canSendMessages() {
  return hasBegun && sessionSocket?.readyState === WebSocket.OPEN;
}

/** Send a message to the session, as Shiny sends its own. @param {object} message */
export function sendMessage(message) {
  if (canSendMessages()) sessionSocket?.send(JSON.stringify(message));
}

/** Send an input to the session, or to the first one when it begins. @param {string} name @param {unknown} value */
export function setInput(name, value) {
  shiny()?.setInputValue?.(name, value);
}

/** Send an event to the session. @param {string} name @param {unknown} value */
export function sendEvent(name, value) {
  shiny()?.setInputValue?.(name, value, { priority: "event" });
}

/** Call back with the notices that ask for this and are for no room. @param {string} asked @param {(notice: any) => void} receive */
export function hearNotices(asked, receive) {
  hearers.set(asked, receive);
}

/** Call back with the session's messages of one type. @param {string} type @param {(message: any) => void} receive */
export function hearOf(type, receive) {
  shiny()?.addCustomMessageHandler(type, receive);
}

/** Call back when Shiny's session is lost, or ended, and when a new one begins; returns how to stop. @param {SessionEvents} on */
export function watchSession(on) {
  watchers.add(on);
  return () => void watchers.delete(on);
}

/** Call back whenever a session can be sent something, from its beginning on; returns how to stop. @param {() => void} listener */
export function watchBeginnings(listener) {
  beginnings.add(listener);
  return () => void beginnings.delete(listener);
}

/** Whether the page has lost its Shiny session. */
export function isSessionLost() {
  return isLost;
}

/** Have Shiny connect again: its socket is dead, and it has not noticed. */
export function giveUpSession() {
  const socket = sessionSocket;
  if (!socket || isLost) return;
  const { onclose } = socket;
  socket.onmessage = socket.onclose = null; // a browser may take a minute to close it
  socket.close();
  onclose?.call(socket, new CloseEvent("close", { code: 1006 }));
}

/** Give an element the notice that came before the element was there. @param {RoomElement} room */
export function deliverPending(room) {
  const notice = pending.get(room.id);
  pending.delete(room.id);
  if (notice) room.receive(notice);
}

/**
 * Draw a developer's HTML, with its Shiny inputs and outputs, dependencies first.
 *
 * @param {Element} element
 * @param {string} html
 * @param {unknown[]} deps
 */
export async function drawTrusted(element, html, deps) {
  const page = shiny();
  await page?.initializedPromise;
  for (const dep of /** @type {{name: string}[]} */ (deps)) await loaded(dep);
  if (element.isConnected) await page?.renderContentAsync(element, { html, deps: [] });
}

/** The app's own UI, not yet in the page. @param {string} html @returns {DocumentFragment} */
export function parse(html) {
  const fragment = document.implementation.createHTMLDocument("").createDocumentFragment();
  fragment.append(.../** @type {any} */ (window).jQuery.parseHTML(html, null, true));
  return fragment;
}

/** Load dependencies, each once. @param {unknown[]} deps */
export async function loadAll(deps) {
  await shiny()?.renderDependenciesAsync(deps);
}

/** Bind the inputs and outputs in an element that are not bound yet. @param {Element} element */
export async function bindAll(element) {
  const page = shiny();
  page?.initializeInputs?.(element);
  await page?.bindAll?.(element);
}

/** Wait until the page's inputs are bound for the first time. */
export async function initialized() {
  await shiny()?.initializedPromise;
}

/** @type {Map<string, Promise<void> | undefined>} */
const loading = new Map();

/**
 * Load a dependency, and wait until it is there.
 *
 * Shiny treats a dependency as loaded once loading has begun. HTML that another message draws
 * meanwhile would use a script that has not run yet.
 *
 * @param {{name: string}} dep
 */
function loaded(dep) {
  const before = loading.get(dep.name) ?? Promise.resolve();
  const done = before.then(() => shiny()?.renderDependenciesAsync([dep])).catch(console.error);
  loading.set(dep.name, done);
  return done;
}

/** Remove an element and unbind the Shiny inputs and outputs in it. @param {Element} element */
export function discard(element) {
  shiny()?.unbindAll(element, true);
  element.remove();
}

/** @param {boolean} lost */
function setSessionLost(lost) {
  hasBegun = hasBegun && !lost;
  if (isLost === lost) return;
  isLost = lost;
  // A bookmark changes the page's URL without Shiny noticing; the next session needs it.
  if (lost) setInput(".clientdata_url_search", location.search);
  for (const { lose, regain } of watchers) (lost ? lose : regain)();
}

/**
 * Say hello for the whole page, with the inputs that Shiny sends first; later if Shiny runs already.
 *
 * @param {ShinyPage} page
 */
function sayHello(page) {
  if (page.setInputValue) {
    setInput(`${HELLO}:shiny_labchat.page`, hello());
    return;
  }
  const says = Object.assign(new page.InputBinding(), {
    /** @param {Element | ArrayLike<Element>} scope */
    find: (scope) => query(/** @type {any} */ (scope)).find('script[src$="labchat.js"]'),
    getId: () => HELLO,
    getType: () => "shiny_labchat.page",
    getValue: hello,
    subscribe: () => {},
    unsubscribe: () => {},
  });
  page.inputBindings.register(says, "shiny_labchat.page");
}

function hello() {
  const n = greeted; // makes it a new one
  return { page: PAGE_ID, key: pageKey(), browser: keys.browser, tab: keys.tab, others: foreignChats(), n };
}

/** Say hello again: the page needs another ticket for its study. */
export function greetAgain() {
  greeted += 1;
  setInput(`${HELLO}:shiny_labchat.page`, hello());
}

/** Say all again: the page has a new key. */
function sayAgain() {
  setInput(`${HELLO}:shiny_labchat.page`, hello());
  for (const room of document.querySelectorAll(ROOM)) /** @type {RoomElement} */ (room).whenAsking?.();
}

/** The ids of shinychat's own chats in the page. */
function foreignChats() {
  return Array.from(document.querySelectorAll("shiny-chat-container"), ({ id }) => id);
}

/** @param {Notice} notice */
function deliver(notice) {
  if (notice.do === "key") return void fetchKey(sayAgain);
  const hearer = hearers.get(notice.do);
  if (hearer) return hearer(notice);
  const room = document.getElementById(notice.id);
  if (notice.do === "mismatch") {
    if (room?.previousElementSibling?.matches(".labchat-mismatch")) return; // said to an earlier session
    const alert = make("div", { class: "labchat-mismatch alert alert-danger", role: "alert" }, notice.say);
    room?.before(alert);
    console.error(`chat ${notice.id}: the app's Chat is shiny_labchat's, but its element in the page is shinychat's`);
    return;
  }
  if (room?.localName === ROOM && "receive" in room) /** @type {RoomElement} */ (room).receive(notice);
  else if (room || !SAID_AGAIN.has(notice.do)) pending.set(notice.id, notice);
  else pending.delete(notice.id);
}

/** @param {ShinyPage} page */
function binding(page) {
  return Object.assign(new page.InputBinding(), {
    /** @param {Element | ArrayLike<Element>} scope an element, or a jQuery object */
    find: (scope) => /** @type {any} */ (window).jQuery(scope).find(ROOM),
    /** @param {RoomElement} room */
    getId: (room) => `${room.id}_hello`,
    getType: () => "shiny_labchat.hello",
    /** @param {RoomElement} room */
    getValue: (room) => ({ page: PAGE_ID, key: pageKey(), ...room.asking }),
    /**
     * @param {RoomElement} room
     * @param {(isDeferred: boolean) => void} callback
     */
    subscribe: (room, callback) => {
      room.whenAsking = () => callback(false);
    },
    /** @param {RoomElement} room */
    unsubscribe: (room) => {
      room.whenAsking = null;
    },
  });
}
