"""A chat in a page, as a test of an app works it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from playwright.sync_api import Locator, Page
from playwright.sync_api import expect as expect_of

from shiny_labchat.playwright.transcript import PatternOrStr, Timeout, Transcript

__all__ = ["ChatController", "Standing"]

Standing = Literal[
    "joining", "waiting", "open", "closed", "readonly", "removed", "gone", "reconnecting"
]
"""What the room is to the page's person, as the chat shows it."""


class ChatController(Transcript):
    """
    Works a chat in a page, and expects things of it.

    It has what shinychat's controller has, under the same names, and what a group adds.

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
        What scrolls and holds the messages; its role is "log".
    loc_messages, loc_scroll_container
        The same, under shinychat's names.
    loc_message_items
        All messages that are drawn, each one an element.
    loc_latest_message
        The last of them.
    loc_greeting
        The messages that the page itself begins with (``ui(messages=)``).
    loc_input_container
        What holds the text box, its button and the words around them.
    loc_input
        The text box.
    loc_input_button
        The button that sends.
    loc_refusal
        Where it says why something was not sent.
    loc_status
        Where it says what the room is to this person.
    loc_presence, loc_typing
        Who is here, who is typing.
    loc_new
        The button that leads to new messages below.
    loc_outbox
        What is on its way.
    loc_counter
        How many characters are left, when few are.
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
        Put a text into the box, in place of what is there.

        Parameters
        ----------
        value
            The text; it may have line breaks.
        timeout
            The longest to wait for the box, in milliseconds; None: Playwright's default.
        """
        self.loc_input.fill(value, timeout=timeout)

    def send_user_input(
        self, *, method: Literal["enter", "click"] = "enter", timeout: Timeout = None
    ) -> None:
        """
        Send what is in the box.

        Parameters
        ----------
        method
            With the Enter key, or with the button.
        timeout
            The longest to wait for the box or button, in milliseconds; None: Playwright's
            default.
        """
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
        Expect what is in the box.

        Parameters
        ----------
        value
            The whole text.
        timeout
            The longest to wait, in milliseconds; None: Playwright's default.
        """
        expect_of(self.loc_input).to_have_value(value, timeout=timeout)

    def expect_refusal(self, value: PatternOrStr, *, timeout: Timeout = None) -> None:
        """
        Expect words that say why something was not sent.

        Parameters
        ----------
        value
            What they contain; "": there are none.
        timeout
            The longest to wait, in milliseconds; None: Playwright's default.
        """
        if value == "":
            expect_of(self.loc_refusal).to_have_text("", timeout=timeout)
        else:
            expect_of(self.loc_refusal).to_contain_text(value, timeout=timeout)

    # ── the people and the room ──

    def me(self, *, timeout: Timeout = None) -> str:
        """
        Return the name under which this page's person speaks.

        Parameters
        ----------
        timeout
            The longest to wait until it is known, in milliseconds; None: Playwright's default.
        """
        name = self.loc.locator(".labchat-me bdi")
        name.wait_for(timeout=timeout)
        return name.inner_text()

    def expect_presence(self, value: int | Iterable[str], *, timeout: Timeout = None) -> None:
        """
        Expect who has the room open.

        Parameters
        ----------
        value
            How many people, this one included, or their names in any order.
        timeout
            The longest to wait, in milliseconds; None: Playwright's default.
        """
        if isinstance(value, int):
            number = re.compile(rf"(?<!\d){value}(?!\d)")
            expect_of(self.loc_presence.locator("strong")).to_have_text(number, timeout=timeout)
            return
        shown = self.loc_presence.get_by_role("listitem", include_hidden=True).locator("bdi")
        names = list(value)
        expect_of(shown).to_have_count(len(names), timeout=timeout)
        for name in names:
            exactly = re.compile(rf"^{re.escape(name)}$")
            expect_of(shown.filter(has_text=exactly)).to_have_count(1, timeout=timeout)

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
        names = [] if value is None else [value] if isinstance(value, str) else sorted(value)
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
        Expect what the room is to this page's person.

        Parameters
        ----------
        value
            "joining", "waiting", "open", "closed", "readonly", "removed", "gone" or
            "reconnecting".
        words
            What the chat says about it contains this; None: whatever it says.
        timeout
            The longest to wait, in milliseconds; None: Playwright's default.
        """
        expect_of(self.loc_status).to_have_attribute("data-status", value, timeout=timeout)
        if words is not None:
            expect_of(self.loc_status).to_contain_text(words, timeout=timeout)
