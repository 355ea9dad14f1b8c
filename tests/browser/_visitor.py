"""A person in front of Firefox or WebKit, in the words of `_people.Person`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tests.support.engines.browser import CONTROL, ENTER, SHIFT, DriverError, EngineBrowser

__all__ = ["Visitor"]

PATIENCE = 40.0
"""The longest that anything is waited for, in seconds."""
BOX = "#chat_user_input"


class Visitor:
    """
    Somebody in front of a page with a chat, whose id is "chat".

    Parameters
    ----------
    browser
        Their browser.
    """

    def __init__(self, browser: EngineBrowser) -> None:
        self.browser = browser

    # ── coming and going ──

    def opens(self, url: str) -> None:
        self.browser.open(url)
        self.browser.run(_LISTEN)
        self.waits_until(lambda: self.state not in ("", "joining"))

    def reloads(self) -> None:
        self.browser.reload()
        self.browser.run(_LISTEN)
        self.waits_until(lambda: self.state not in ("", "joining"))

    @property
    def name(self) -> str:
        return self.browser.run(_TEXT, ".labchat-me bdi")

    # ── talking ──

    def says(self, text: str) -> None:
        self.types(text)
        self.presses(ENTER)
        self.sees(text)

    def types(self, text: str) -> None:
        """Write into the box; a line break is Shift+Enter."""
        self.browser.type(BOX, text.replace("\n", SHIFT + ENTER + SHIFT))

    def presses(self, keys: str) -> None:
        self.browser.type(BOX, keys)

    def cuts(self) -> None:
        """Take what is in the box into the clipboard."""
        self.presses(CONTROL + "ax" + CONTROL)

    def pastes(self) -> None:
        self.presses(CONTROL + "v" + CONTROL)

    def stops_the_answer(self) -> None:
        self.browser.click(".labchat-stop")

    @property
    def draft(self) -> str:
        return self.browser.run("return document.querySelector(arguments[0]).value", BOX)

    # ── seeing ──

    @property
    def state(self) -> str:
        """What the room is to them."""
        return self.browser.run(_STATE)

    def messages(self) -> list[tuple[str, str]]:
        """Author and text of all that is drawn."""
        return [(author, text) for author, text in self.browser.run(_MESSAGES)]

    @property
    def ending(self) -> str:
        """How the last answer has ended, in words."""
        return self.browser.run(_TEXT, ".labchat-message:last-child .labchat-ending")

    def sees(self, text: str, by: Visitor | None = None) -> None:
        author = by.name if by is not None else None
        self.waits_until(
            lambda: any(text in said and author in (None, who) for who, said in self.messages())
        )

    def waits_until(self, claim: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._holds(claim):
            assert time.monotonic() < deadline, f"it never came true; drawn: {self.messages()}"
            threading.Event().wait(0.05)

    def _holds(self, claim: Callable[[], object]) -> bool:
        try:
            return bool(claim())
        except DriverError:
            return False  # the page is still loading

    def complaints(self) -> list[str]:
        """What the console has complained about since the page was loaded."""
        return self.browser.run("return window.eval('window.complaints')")


_TEXT = "return document.querySelector(arguments[0])?.textContent ?? ''"
_STATE = "return document.querySelector('.labchat-status')?.dataset.status ?? ''"
_MESSAGES = """return [...document.querySelectorAll(".labchat-message")].map((message) =>
  [".labchat-author", ".labchat-content"].map((part) => message.querySelector(part).textContent))"""
_LISTEN = """window.eval(`
  window.complaints = [];
  addEventListener("error", ({ message }) => complaints.push(message));
  addEventListener("unhandledrejection", ({ reason }) => complaints.push(String(reason)));
  const { error } = console;
  console.error = (...words) => { complaints.push(words.map(String).join(" ")); error(...words); };
`)"""
