"""What an app reads of who has written how much."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser._organiser import Organiser
from tests.browser.conftest import People, Serve

APP = "timed.py"


def test_shares_follow_what_is_written_to_everybody(
    people: People, organiser: Organiser, shared: Serve, room: str
) -> None:
    ann, bob = people(2, APP)
    for person in (ann, bob):
        expect(person.page.locator("#shares")).to_have_text("0.00 0.00")
    ann.says("aaa")
    bob.says("b")
    there = organiser.room(shared(APP), room)
    [first, *_] = organiser.does(there.members())
    organiser.does(there.post("to one of them", author=first, audience=[first]))
    organiser.does(there.announce("Welcome."))
    bob.sees("Welcome.")
    for person in (ann, bob):
        expect(person.page.locator("#shares")).to_have_text("0.25 0.75")
    ann.reloads()
    expect(ann.page.locator("#shares")).to_have_text("0.25 0.75")
