"""People who take part in a study, in a page's vocabulary; controllers find what they name."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from shiny_labchat.playwright import ChatController, PatternOrStr
from tests.browser._people import Person

__all__ = ["Participant"]


class Participant(Person):
    """Somebody in front of a page of a study."""

    def moves_to(self, page: Page) -> None:
        """Goes on in another page of the same app."""
        self.page, self.chat = page, ChatController(page, self.chat.id)

    @property
    def study(self) -> Locator:
        """What the study shows them."""
        return self.page.locator("labchat-study")

    def presses_button(self, label: str) -> None:
        """A button of the page, by what stands on it."""
        self.page.get_by_role("button", name=label, exact=True).click()

    def reads_in_study(self, words: PatternOrStr) -> None:
        """The study says this to them."""
        expect(self.study).to_contain_text(words)

    def reads_on_page(self, words: PatternOrStr) -> None:
        """Something on the page says this."""
        expect(self.page.get_by_text(words).first).to_be_visible()

    def consents(self) -> None:
        """Agrees to take part."""
        self.presses_button("I agree to take part")

    def opens_tab(self) -> Participant:
        """The same browser, the same address, a second tab."""
        other = Participant(self.page.context.new_page(), self.chat.id)
        other.opens(self.page.url)
        return other

    def waits(self) -> None:
        """Sees that they wait for a group."""
        self.reads_in_study("Waiting for your group")

    def is_ready(self) -> None:
        """Answers the ready check."""
        self.presses_button("I am here")

    def is_in_group(self) -> None:
        """Has a room in which they can write."""
        self.is_in()
        self.stands("open")

    def is_done(self, label: str = "Continue") -> None:
        """Presses the button by which one is done in a room."""
        button = self.page.locator("labchat-room").get_by_role("button", name=label, exact=True)
        expect(button).to_be_enabled()
        button.click()

    def cannot_go_on(self, label: str = "Continue") -> None:
        """Has not met what is asked of one in a room yet."""
        button = self.page.locator("labchat-room").get_by_role("button", name=label, exact=True)
        expect(button).to_be_disabled()

    def chooses(self, question: str, answer: str) -> None:
        """Answers a question with a choice."""
        group = self.page.get_by_role("radiogroup", name=question)
        group.get_by_label(answer, exact=True).check()

    def confirms(self, slider: str) -> None:
        """Has a slider, by its id, stay as it is."""
        box = self.page.locator(".shiny-input-container", has=self.page.locator(f"#{slider}"))
        box.locator(".irs-handle").click()

    def fills(self, question: str, answer: str) -> None:
        """Answers a question in their own words."""
        self.page.get_by_label(question).fill(answer)

    def holds(self, question: str, answer: str) -> None:
        """An answer that was filled in is still there."""
        expect(self.page.get_by_label(question)).to_have_value(answer)

    def ends(self, words: PatternOrStr = re.compile("Thank you")) -> None:
        """Has come to an end of the study."""
        self.reads_in_study(words)
