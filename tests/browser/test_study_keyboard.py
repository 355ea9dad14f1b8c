"""A whole study with the keyboard alone, without a fault of accessibility on any screen."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.browser._axe import faults
from tests.browser._participants import Participant
from tests.browser.conftest import People, Serve

TABS = 30
"""No place of a page is farther away than so many presses of Tab."""
NOT_OURS = re.compile("html-has-lang|document-title")
"""What only an app can say."""


class AtKeyboard(Participant):
    """Somebody without a mouse."""

    def reaches(self, place: Locator) -> None:
        """Press Tab until the focus is there."""
        expect(place).to_be_visible()
        for _ in range(TABS):
            if place.evaluate("place => place === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not come to {place}")

    def activates(self, label: str, key: str = "Enter") -> None:
        """Press a button by a key."""
        self.reaches(self.page.get_by_role("button", name=label, exact=True))
        self.page.keyboard.press(key)

    def writes(self, place: Locator, text: str, *, sends: bool = False) -> None:
        self.reaches(place)
        self.page.keyboard.type(text)
        if sends:
            self.page.keyboard.press("Enter")

    def has_no_faults(self) -> None:
        assert {fault for fault in faults(self) if not NOT_OURS.search(fault)} == set()


def test_a_study_is_done_without_a_mouse(people: People, serve: Serve):
    app = serve("wanted/study.py")
    (ann,) = (AtKeyboard(each.page) for each in people(1, app, settled=False))
    expect(ann.page.get_by_role("button", name="I agree to take part")).to_be_visible()
    ann.has_no_faults()
    ann.activates("I agree to take part")
    ann.waits()
    ann.has_no_faults()
    (bob,) = (Participant(each.page) for each in people(1, app, settled=False))
    bob.consents()
    ann.activates("I am here", "Space")
    bob.is_ready()
    ann.is_in_group()
    for text in ("one", "two", "three"):
        ann.writes(ann.chat.loc_input, text, sends=True)
        ann.sees(text)
    ann.has_no_faults()
    ann.activates("Continue")
    ann.writes(ann.page.get_by_label("What did you agree on, and why?"), "On the best one.")
    ann.has_no_faults()
    ann.activates("Finish")
    ann.reads_in_study("We wanted to know how groups agree.")
    ann.has_no_faults()
    ann.activates("Continue")
    ann.reads_in_study("C1ABC")
    ann.has_no_faults()
    ann.reaches(ann.page.get_by_role("button", name="Copy the code"))
