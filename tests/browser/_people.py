"""People in front of browsers, in a page's vocabulary; controllers find what they name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from playwright.sync_api import Locator, Page, expect
from shiny.playwright import controller

from shiny_labchat.playwright import ChatController, PatternOrStr, Standing


class Person:
    """
    Somebody in front of a page with a chat.

    Parameters
    ----------
    page
        Their page.
    id
        The chat's id in it.
    """

    def __init__(self, page: Page, id: str = "chat") -> None:
        self.page = page
        self.chat = ChatController(page, id)

    def at(self, id: str) -> Person:
        """The same person at another chat of the page."""
        return Person(self.page, id)

    # ── coming and going ──

    def opens(self, url: str) -> None:
        self.page.goto(url, wait_until="commit")

    def is_in(self) -> None:
        """Has come to know what the room is to them."""
        expect(self.chat.loc_status).not_to_have_attribute("data-status", "joining")
        expect(self.chat.loc_status).to_have_attribute("data-status", re.compile("."))

    def reloads(self) -> None:
        self.page.reload()
        self.is_in()

    def opens_another_tab(self) -> Person:
        """The same browser, the same address, a second tab."""
        other = Person(self.page.context.new_page(), self.chat.id)
        other.opens(self.page.url)
        other.is_in()
        return other

    def leaves(self) -> None:
        self.page.close()

    @property
    def name(self) -> str:
        return self.chat.me()

    # ── talking ──

    def says(self, *texts: str, by: Literal["enter", "click"] = "enter") -> None:
        """Send, and wait until it stands in one's own transcript."""
        for text in texts:
            own = self.own(text)
            before = own.count()
            self.chat.say(text, method=by)
            expect(own).to_have_count(before + 1)

    def tries(self, text: str) -> None:
        """Send, whatever becomes of it."""
        self.chat.say(text)

    def types(self, text: str) -> None:
        self.chat.loc_input.press_sequentially(text)

    def presses(self, *keys: str) -> None:
        for key in keys:
            self.chat.loc_input.press(key)

    def pastes(self, text: str) -> None:
        self.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page.bring_to_front()
        self.chat.loc_input.focus()
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.presses("Control+V")

    def sends_at_once(self, *texts: str) -> None:
        """Faster than any hand: as a script in the page would."""
        self.chat.loc_input_container.evaluate(_SEND_ALL, texts)

    def composes(self, text: str) -> None:
        """Write with an input method, and confirm the word with Enter."""
        self.chat.loc_input.evaluate(_COMPOSE, text)

    @property
    def draft(self) -> str:
        return self.chat.loc_input.input_value()

    # ── seeing ──

    def own(self, text: str) -> Locator:
        content = self.page.locator(".labchat-content", has_text=text)
        own = self.page.locator(".labchat-message[data-own]")
        return self.chat.loc_message_items.filter(has=content).and_(own)

    def sees(self, *texts: PatternOrStr, by: Person | str | None = None) -> None:
        for text in texts:
            expect(self.chat.loc_message(text).last).to_be_visible()
            if by is not None:
                self.chat.expect_author(by if isinstance(by, str) else by.name, text)

    def sees_only(self, *texts: PatternOrStr) -> None:
        """These messages, in this order, and no others."""
        self.chat.expect_messages(list(texts))

    def sees_no(self, text: PatternOrStr) -> None:
        expect(self.chat.loc_message(text)).to_have_count(0)

    def transcript(self) -> list[tuple[str, str, str]]:
        """Number, author and text of all that is drawn, from top to bottom."""
        return [tuple(row) for row in self.chat.loc_log.evaluate(_TRANSCRIPT)]

    def texts(self) -> list[str]:
        """What is drawn, character for character."""
        return [text for _, _, text in self.transcript()]

    def is_told(self, words: PatternOrStr) -> None:
        """Is refused, in words."""
        self.chat.expect_refusal(words)

    def cannot_write(self, words: str) -> None:
        """The box says that one cannot write, and why."""
        expect(self.chat.loc_input).not_to_be_editable()
        expect(self.chat.loc_input).to_have_accessible_description(re.compile(re.escape(words)))

    def stands(self, state: Standing, words: PatternOrStr | None = None) -> None:
        """The room is this to them, and says so."""
        self.chat.expect_state(state, words)

    def is_notified(self, words: str) -> None:
        expect(self.notifications(words)).to_have_count(1)

    def notifications(self, words: str = "") -> Locator:
        return self.page.locator(".shiny-notification", has_text=words)

    # ── the rest of the page ──

    def clicks(self, button: str) -> None:
        """A button of the app's, by its id."""
        controller.InputActionButton(self.page, button).click()

    def reads(self, output: str, value: PatternOrStr) -> None:
        """An output of the app's, by its id."""
        controller.OutputText(self.page, output).expect_value(value)

    def finds(self, words: str) -> Locator:
        """Something in a message, by its words."""
        return self.chat.loc_log.get_by_text(words, exact=True)

    def scrolls(self, where: Literal["top", "up", "barely", "bottom"]) -> None:
        self.chat.loc_log.evaluate(_SCROLL, where)

    def is_at_the_bottom(self) -> bool:
        return self.chat.loc_log.evaluate(
            "log => log.scrollHeight - log.scrollTop - log.clientHeight < 2"
        )

    def waits_until(self, claim: Callable[[], bool]) -> None:
        """Look again and again, whenever the page draws."""
        for _ in range(600):
            if claim():
                return
            self.page.evaluate("() => new Promise(requestAnimationFrame)")
        raise AssertionError("it never came true")

    def looks_away(self) -> None:
        """Turns to another tab."""
        self.page.evaluate(_HIDE, True)

    def looks_back(self) -> None:
        self.page.evaluate(_HIDE, False)


_SEND_ALL = """(host, texts) => {
  const [box, button] = [host.querySelector("textarea"), host.querySelector(".labchat-send")];
  for (const text of texts) {
    box.value = text;
    box.dispatchEvent(new InputEvent("input", { bubbles: true }));
    button.click();
  }
}"""
_COMPOSE = """(box, text) => {
  const enter = { key: "Enter", bubbles: true, cancelable: true };
  const key = (type, init) => box.dispatchEvent(new KeyboardEvent(type, { ...enter, ...init }));
  box.focus();
  box.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
  box.value = text;
  box.dispatchEvent(new InputEvent("input", { bubbles: true, isComposing: true, data: text }));
  key("keydown", { isComposing: true, keyCode: 229 });
  box.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true, data: text }));
  key("keydown", { isComposing: false, keyCode: 229 });  // what Safari sends, after the end
  key("keyup", { keyCode: 13 });
}"""
_TRANSCRIPT = """log => [...log.querySelectorAll(".labchat-message")].map((message) =>
  [message.dataset.id ?? "", message.querySelector(".labchat-author").textContent,
   message.querySelector(".labchat-content").textContent])"""
_SCROLL = """(log, where) => {
  const { scrollTop: now, scrollHeight } = log;
  log.scrollTop = { top: 0, up: now - 600, barely: now - 1, bottom: scrollHeight }[where];
}"""
_HIDE = """(isHidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
