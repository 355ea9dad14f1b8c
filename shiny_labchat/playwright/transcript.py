"""The part of the controller that finds and reads messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from re import Pattern

from playwright.sync_api import Locator, Page
from playwright.sync_api import TimeoutError as NotInTime
from playwright.sync_api import expect as expect_of

from shiny_labchat.playwright.shown import explained

__all__ = ["YOU", "PatternOrStr", "Timeout", "Transcript"]

PatternOrStr = Pattern[str] | str
Timeout = float | None

YOU = "You"
"""The author's name above this person's own messages, whatever `ui(labels=)` makes of it."""
POLL_INTERVAL = 100
"""Milliseconds between two looks at all messages; a hidden page draws no frames to wait for."""


class Transcript:
    """The part of a :class:`ChatController` that finds messages and reads them."""

    id: str
    page: Page
    loc_messages: Locator
    loc_message_items: Locator
    loc_latest_message: Locator
    loc_greeting: Locator

    def loc_message(self, which: int | PatternOrStr) -> Locator:
        """
        Locate messages by place or by text.

        Parameters
        ----------
        which
            The place of a message among those that are drawn: 0 is the first, -1 the last. Or its
            text: the messages with exactly this text; if there are none, those that contain it, in
            capitals or not. Or a pattern that is found in it.

        Returns
        -------
        Locator
            All messages that match.
        """
        if isinstance(which, int):
            return self.loc_message_items.nth(which)
        contains = self.page.locator(".labchat-content", has_text=which)
        if isinstance(which, Pattern):
            return self.loc_message_items.filter(has=contains)
        equals = self.page.locator(".labchat-content", has_text=_exactly(which))
        without_equal = self.loc_messages.filter(has_not=equals)
        containing = without_equal.locator(".labchat-message").filter(has=contains)
        return self.loc_message_items.filter(has=equals).or_(containing)

    def loc_stop_button(self, which: int | PatternOrStr | None = None) -> Locator:
        """
        Locate the buttons with which this page's person can stop answers.

        Parameters
        ----------
        which
            The message, as in :meth:`loc_message`; None: any.

        Returns
        -------
        Locator
            The buttons of all messages that match.
        """
        messages = self.loc_message_items if which is None else self.loc_message(which)
        return messages.locator(".labchat-stop")

    def stop_answer(
        self, which: int | PatternOrStr | None = None, *, timeout: Timeout = None
    ) -> None:
        """
        Stop an answer that is being streamed.

        Parameters
        ----------
        which
            The message, as in :meth:`loc_message`; None: the only one that can be stopped.
        timeout
            The longest to wait for its button, in milliseconds; None: Playwright's default.
        """
        message = "a message" if which is None else _described(which)
        with self._explained(f"{message} with a button that stops it"):
            self.loc_stop_button(which).click(timeout=timeout)

    def expect_latest_message(self, value: PatternOrStr, *, timeout: Timeout = None) -> None:
        """
        Expect the text of the last message.

        Parameters
        ----------
        value
            The whole text, without author and time.
        timeout
            The longest to wait, in milliseconds; None: Playwright's default.
        """
        with self._explained(f"the last message to be {value!r}"):
            expect_of(_content(self.loc_latest_message)).to_have_text(
                value, use_inner_text=True, timeout=timeout
            )

    def expect_messages(
        self, value: PatternOrStr | Sequence[PatternOrStr], *, timeout: Timeout = None
    ) -> None:
        """
        Expect the texts of all messages that are drawn.

        Parameters
        ----------
        value
            A list of texts, one for each message, or all texts joined to one, with a space or line
            break between two messages; without authors and times.
        timeout
            The longest to wait, in milliseconds; None: Playwright's default.
        """
        with self._explained(f"the messages {value!r}"):
            if isinstance(value, str | Pattern):
                self._expect_joined(value, timeout)
            else:
                expect_of(_content(self.loc_message_items)).to_have_text(
                    list(value), use_inner_text=True, timeout=timeout
                )

    def _expect_joined(self, value: PatternOrStr, timeout: Timeout) -> None:
        wanted = [self.id, *_as_js(value)]
        try:
            self.page.wait_for_function(_JOINED, arg=wanted, polling=POLL_INTERVAL, timeout=timeout)
        except NotInTime as exc:
            raise AssertionError(exc.message) from None

    def expect_greeting(self, value: PatternOrStr, *, timeout: Timeout = None) -> None:
        """
        Expect the first of the messages that belong to the page itself.

        Parameters
        ----------
        value
            A part of its text.
        timeout
            The longest to wait, in milliseconds; None: Playwright's default.
        """
        with self._explained(f"a greeting with {value!r}"):
            expect_of(self.loc_greeting.first).to_contain_text(
                value, use_inner_text=True, timeout=timeout
            )

    def expect_author(
        self,
        value: PatternOrStr,
        which: int | PatternOrStr | None = None,
        *,
        timeout: Timeout = None,
    ) -> None:
        """
        Expect the author of a message.

        Parameters
        ----------
        value
            The author's pseudonym; "You": the message is this person's own.
        which
            The message, as in :meth:`loc_message`; of several the last. None: the last one.
        timeout
            The longest to wait, in milliseconds; None: Playwright's default.
        """
        if value == YOU:
            self.expect_own(True, which, timeout=timeout)
            return
        with self._explained(f"{_described(which)} to be by {value!r}"):
            author = self._one(which).locator(".labchat-author")
            expect_of(author).to_have_text(value, timeout=timeout)

    def expect_own(
        self,
        value: bool = True,
        which: int | PatternOrStr | None = None,
        *,
        timeout: Timeout = None,
    ) -> None:
        """
        Expect that a message is shown as this person's own, or that it is not.

        Parameters
        ----------
        value
            Whether the message is this person's own.
        which
            The message, as in :meth:`loc_message`; of several the last. None: the last one.
        timeout
            The longest to wait, in milliseconds; None: Playwright's default.
        """
        message = self._one(which)
        own = self.page.locator(".labchat-message[data-own]")
        with self._explained(f"{_described(which)} {'to be' if value else 'not to be'} by {YOU!r}"):
            expect_of(message).to_be_attached(timeout=timeout)
            expect_of(message.and_(own)).to_have_count(int(value), timeout=timeout)

    def _one(self, which: int | PatternOrStr | None) -> Locator:
        return self.loc_latest_message if which is None else self.loc_message(which).last

    def _explained(self, wanted: str) -> AbstractContextManager[None]:
        return explained(self.page, self.id, wanted)


_JOINED = """([id, value, flags]) => {
  const contents = document.getElementById(id).querySelectorAll("[role=log] .labchat-content");
  const tidy = (text) => text.replace(/\\s+/g, " ").trim();
  const said = tidy([...contents].map((content) => content.innerText).join(" "));
  return flags === null ? said === tidy(value) : new RegExp(value, flags).test(said);
}"""
_JS_FLAGS = {re.IGNORECASE: "i", re.MULTILINE: "m", re.DOTALL: "s"}


def _as_js(value: PatternOrStr) -> tuple[str, str | None]:
    """The text, or the source and flags of a pattern, for JavaScript."""
    if isinstance(value, str):
        return value, None
    return value.pattern, "".join(js for py, js in _JS_FLAGS.items() if value.flags & py)


def _content(message: Locator) -> Locator:
    return message.locator(".labchat-content")


def _exactly(text: str) -> Pattern[str]:
    """A pattern of a whole text, however the page spaces it and breaks its lines."""
    lines = (r"\s+".join(map(re.escape, line.split())) for line in text.strip().splitlines())
    return re.compile(r"^\s*" + r"\s*".join(lines) + r"\s*$")


def _described(which: int | PatternOrStr | None) -> str:
    if which is None:
        return "the last message"
    return f"message {which}" if isinstance(which, int) else f"the message {which!r}"
