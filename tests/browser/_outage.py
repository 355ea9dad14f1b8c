"""
A person's cables: the chat's own line and Shiny's, each to be cut and mended by itself.

While the chat's is cut, its frames do not get through over Shiny's either.
"""

from __future__ import annotations

from typing import Literal

from playwright.sync_api import expect

from shiny_labchat.playwright import Standing
from tests.browser._people import Person

__all__ = [
    "CABLES",
    "SEVERED",
    "STALLS",
    "Line",
    "cut",
    "deafen",
    "dials",
    "flows",
    "is_on_a_new_line",
    "mend",
    "sleeps",
    "stalls",
]

Cable = Literal["chat", "shiny"]
Line = Literal["chat", "study", "shiny"]

SEVERED = "WebSocket connection to|ERR_CONNECTION_(REFUSED|RESET)|WebSocket is already in CLOSING"
"""What a browser's console says of it."""

CABLES = """(() => {
  const made = (window.cables = { chat: [], shiny: [] });
  const cable = (url) => (String(url).includes("labchat/ws") ? "chat" : "shiny");
  window.WebSocket = class extends WebSocket {
    constructor(url) {
      super(sessionStorage.getItem(`cut-${cable(url)}`) ? "ws://127.0.0.1:9/" : url);
      made[cable(url)].push(this);
      this.at = performance.now();
    }
    get onmessage() {
      return super.onmessage;
    }
    set onmessage(hear) {
      super.onmessage = (event) => this.isDeaf || hear?.(event);
    }
    send(data) {
      const isCut = sessionStorage.getItem("cut-chat") && data.includes("labchat_channel");
      if (!isCut) return super.send(data);
      const { channel, open } = JSON.parse(data).data[".clientdata_labchat_channel"];
      const custom = { labchat_channel: { channel, close: 1011 } };
      if (open) setTimeout(() => this.onmessage({ data: JSON.stringify({ custom }) }));
    }
  };
})()"""
"""To run in a page before its own scripts."""

STALLS = """(() => {
  const lines = (window.lines = { chat: null, study: null, shiny: null });
  const line = (url) => ({ ws: "chat", study: "study" })[url.split("labchat/")[1]] ?? "shiny";
  window.WebSocket = class extends WebSocket {
    get isStalled() {
      return lines[line(this.url)] !== null;
    }
    get readyState() {
      return this.isStalled ? WebSocket.OPEN : super.readyState;
    }
    get onmessage() {
      return this.hear;
    }
    set onmessage(hear) {
      this.hear = hear;
      super.onmessage = (event) => this.now(() => this.hear?.(event));
    }
    set onclose(hear) {
      this.part = hear;
      super.onclose = (event) => this.now(() => this.part?.(event));
    }
    get onclose() {
      return this.part;
    }
    now(tell) {
      if (this.isStalled) lines[line(this.url)].push(tell);
      else tell();
    }
  };
})()"""
"""To run in a page before its own scripts: what the server sends may come late, in order."""


def cut(person: Person, cable: Cable) -> None:
    """End a connection, and let no new one be made; reloading the page does not help."""
    person.page.evaluate(_CUT, cable)
    if cable == "chat":
        person.stands("reconnecting")
    else:
        expect(person.page.locator(_LOST)).to_be_attached()


def mend(person: Person, cable: Cable, stands: Standing = "open") -> None:
    """Let connections be made again, and wait for one; `stands`: how the chat is then."""
    person.page.evaluate(_MEND, cable)
    if cable == "chat":
        person.stands(stands)
    else:
        expect(person.page.locator(_LOST)).not_to_be_attached()


def deafen(person: Person) -> None:
    """The chat's line seems alive, and nothing comes through it to the page any more."""
    person.page.evaluate("() => { cables.chat.at(-1).isDeaf = true; }")


def stalls(person: Person, *lines: Line) -> None:
    """What the server sends on these lines comes to the page only when it `flows` again."""
    person.page.evaluate("(named) => named.forEach((each) => (lines[each] = []))", lines)


def flows(person: Person, line: Line) -> None:
    """All that the server has sent on a line comes now."""
    person.page.evaluate(_FLOWS, line)


def sleeps(person: Person) -> None:
    """The machine stands still for an hour, as the page sees it when it is looked at again."""
    person.looks_away()
    person.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 3600e3; }")
    person.looks_back()


def dials(person: Person) -> list[float]:
    """When the chat's connections were tried, in seconds."""
    return person.page.evaluate("() => cables.chat.map(({ at }) => at / 1000)")


def is_on_a_new_line(person: Person, than: int) -> bool:
    """Whether only the newest of more than so many connections of the chat is still there."""
    return person.page.evaluate(_IS_NEW, than)


_LOST = "#shiny-disconnected-overlay"
_CUT = """(cable) => {
  sessionStorage.setItem(`cut-${cable}`, "yes");
  for (const socket of cables[cable]) socket.close();
}"""
_MEND = """(cable) => {
  sessionStorage.removeItem(`cut-${cable}`);
  if (cable === "shiny" && !Shiny.shinyapp.isConnected()) Shiny.shinyapp.reconnect();
  if (cable === "chat") window.dispatchEvent(new Event("online"));
}"""
_FLOWS = """(line) => {
  const waiting = lines[line];
  lines[line] = null;
  for (const late of waiting) late();
}"""
_IS_NEW = """(than) => {
  const open = cables.chat.map(({ readyState }) => readyState === WebSocket.OPEN);
  return open.length > than && open.pop() && !open.some(Boolean);
}"""
