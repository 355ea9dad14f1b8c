"""The controller of a chat in a page, for tests of apps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from playwright.sync_api import Locator, Page
from playwright.sync_api import expect as expect_of

from shiny_labchat.playwright.transcript import YOU, PatternOrStr, Timeout, Transcript

__all__ = ["ChatController", "Standing"]

Standing = Literal[
    "joining", "waiting", "open", "closed", "readonly", "removed", "gone", "reconnecting"
]
"""The state of the room for the page's person, as the chat shows it."""


class ChatController(Transcript):
    """
    Controller of a chat in a page, for tests of apps.

    It has the members of shinychat's controller under the same names, and more for group chats.

    The fixture `labchat` makes them, with a new database for each test. An app that runs by
    itself keeps its record from one run to the next: start it with the environment variable
    ``LABCHAT_URL`` set to a new file.

    Parameters
    ----------
    page
        The page of the Shiny app.
    id
        The chat's id; inside a Shiny module with the module's id in front (``"left-chat"``).

    Attributes
    ----------
    id, page
        As given.
    loc
        The chat's element.
    loc_log
        The scrolling container of the messages; its role is "log".
    loc_messages, loc_scroll_container
        The same, under shinychat's names.
    loc_message_items
        All messages that are drawn, one element each.
    loc_latest_message
        The last message that is drawn.
    loc_greeting
        The messages that belong to the page itself (``ui(messages=)``).
    loc_input_container
        The container of the text box, its button and the words around them.
    loc_input
        The text box.
    loc_input_button
        The button that sends.
    loc_refusal
        The text that says why a message was not sent.
    loc_status
        The text that says the state of the room for this person.
    loc_presence, loc_typing
        The lists of who is here, and who is typing.
    loc_new
        The button that scrolls to new messages below.
    loc_outbox
        The messages that are not stored yet.
    loc_counter
        The number of characters left, shown when few are.
    """

    def __init__(self, page: Page, id: str) -> None:
        self.page: Page = page
        self.id: str = id
        self.loc: Locator = page.locator(f'[id="{id}"]')
        self.loc_log: Locator = self.loc.get_by_role("log")
        self.loc_scroll_container: Locator = self.loc_log
        self.loc_messages: Locator = self.loc_log
        self.loc_message_items: Locator = self.loc_messages.locator(".labchat-message")
        self.loc_latest_message: Locator = self.loc_message_items.last
        self.loc_greeting: Locator = self.loc_messages.locator(".labchat-message:not([data-seq])")
        self.loc_input_container: Locator = self.loc.locator(".labchat-composer")
        self.loc_input: Locator = self.loc_input_container.locator(f'[id="{id}_user_input"]')
        self.loc_input_button: Locator = self.loc_input_container.locator(".labchat-send")
        self.loc_refusal: Locator = self.loc_input_container.locator(".labchat-alert")
        self.loc_status: Locator = self.loc.locator(".labchat-status")
        self.loc_presence: Locator = self.loc.locator(".labchat-presence")
        self.loc_typing: Locator = self.loc.locator(".labchat-typing")
        self.loc_new: Locator = self.loc.locator(".labchat-new")
        self.loc_outbox: Locator = self.loc.locator(".labchat-outbox")
        self.loc_counter: Locator = self.loc.locator(".labchat-counter")

    @property
    def expect(self):
        """Playwright's expectations of the chat's element."""
        return expect_of(self.loc)

    # ── the text box ──

    def set_user_input(self, value: str, *, timeout: Timeout = None) -> None:
        """
        Replace the text in the box.

        Parameters
        ----------
        value
            The text; it may have line breaks.
        timeout
            The longest to wait for the box, in milliseconds; None: Playwright's default.
        """
        with self._explained("a text box that can be written in"):
            self.loc_input.fill(value, timeout=timeout)

    def send_user_input(
        self, *, method: Literal["enter", "click"] = "enter", timeout: Timeout = None
    ) -> None:
        """
        Send the text in the box.

        Parameters
        ----------
        method
            Press the Enter key, or click the button.
        timeout
            The longest to wait for the box or button, in milliseconds; None: Playwright's
            default.
        """
        with self._explained("a text box that can send"):
            if method == "enter":
                self.loc_input.press("Enter", timeout=timeout)
            else:
                self.loc_input_button.click(timeout=timeout)

    def say(
        self, text: str, *, method: Literal["enter", "click"] = "enter", timeout: Timeout = None
    ) -> None:
        """Put a text into the box and send it, see `set_user_input` and `send_user_input`."""
        self.set_user_input(text, timeout=timeout)
        self.send_user_input(method=method, timeout=timeout)

    def expect_user_input(self, value: PatternOrStr, *, timeout: Timeout = None) -> None:
        """
        Expect the text in the box.

        Parameters
        ----------
        value
            The whole text.
        timeout
            The longest to wait, in milliseconds; None: Playwright's default.
        """
        with self._explained(f"the text box to have {value!r}"):
            expect_of(self.loc_input).to_have_value(value, timeout=timeout)

    def expect_refusal(self, value: PatternOrStr, *, timeout: Timeout = None) -> None:
        """
        Expect the text that says why a message was not sent.

        Parameters
        ----------
        value
            A part of the text; "": there is no such text.
        timeout
            The longest to wait, in milliseconds; None: Playwright's default.
        """
        with self._explained(f"the refusal {value!r}" if value else "no refusal"):
            if value == "":
                expect_of(self.loc_refusal).to_have_text("", timeout=timeout)
            else:
                expect_of(self.loc_refusal).to_contain_text(value, timeout=timeout)

    # ── the people and the room ──

    def me(self, *, timeout: Timeout = None) -> str:
        """
        Return the pseudonym of this page's person.

        Parameters
        ----------
        timeout
            The longest to wait until it is known, in milliseconds; None: Playwright's default.
        """
        with self._explained("a pseudonym of this person"):
            name = self.loc.locator(".labchat-me bdi")
            name.wait_for(timeout=timeout)
            return name.inner_text()

    def expect_presence(self, value: int | str | Iterable[str], *, timeout: Timeout = None) -> None:
        """
        Expect who has the room open.

        Parameters
        ----------
        value
            The number of people, this one included, or their pseudonyms in any order; "You" is
            this one.
        timeout
            The longest to wait, in milliseconds; None: Playwright's default.
        """
        if isinstance(value, int):
            number = re.compile(rf"(?<!\d){value}(?!\d)")
            with self._explained(f"{value} to be here"):
                expect_of(self.loc_presence.locator("strong")).to_have_text(number, timeout=timeout)
        else:
            names = _names(value)
            with self._explained(f"{' and '.join(map(repr, names)) or 'nobody'} to be here"):
                self._expect_people(names, timeout)

    def _expect_people(self, names: list[str], timeout: Timeout) -> None:
        people = self.loc_presence.get_by_role("listitem", include_hidden=True).locator("bdi")
        expect_of(people).to_have_count(len(names), timeout=timeout)
        for name in names:
            shown = self.me(timeout=timeout) if name == YOU else name
            exactly = re.compile(rf"^{re.escape(shown)}$")
            expect_of(people.filter(has_text=exactly)).to_have_count(1, timeout=timeout)

    def expect_typing(self, value: str | Iterable[str] | None, *, timeout: Timeout = None) -> None:
        """
        Expect who else is typing.

        Parameters
        ----------
        value
            One name or two, as shown; None: nobody is. Beyond two, no names are shown.
        timeout
            The longest to wait, in milliseconds; None: Playwright's default.
        """
        names = [] if value is None else _names(value)
        with self._explained(f"{' and '.join(map(repr, names)) or 'nobody'} to be typing"):
            self._expect_typing(names, timeout)

    def _expect_typing(self, names: list[str], timeout: Timeout) -> None:
        if not names:
            expect_of(self.loc_typing).to_have_text("", timeout=timeout)
            return
        expect_of(self.loc_typing.locator("bdi")).to_have_count(len(names), timeout=timeout)
        for name in names:
            expect_of(self.loc_typing).to_contain_text(name, timeout=timeout)

    def expect_state(
        self, value: Standing, words: PatternOrStr | None = None, *, timeout: Timeout = None
    ) -> None:
        """
        Expect the state of the room for this page's person.

        Parameters
        ----------
        value
            "joining", "waiting", "open", "closed", "readonly", "removed", "gone" or
            "reconnecting".
        words
            A part of the text that the chat shows about it; None: any text.
        timeout
            The longest to wait, in milliseconds; None: Playwright's default.
        """
        said = "" if words is None else f", and the words {words!r}"
        with self._explained(f"the state {value!r}{said}"):
            expect_of(self.loc_status).to_have_attribute("data-status", value, timeout=timeout)
            if words is not None:
                expect_of(self.loc_status).to_contain_text(words, timeout=timeout)


def _names(value: str | Iterable[str]) -> list[str]:
    return [value] if isinstance(value, str) else sorted(value)
