"""The time that people have, and the button with which they are done: two people at once."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, expect

from shiny_labchat import Room, Rules
from tests.browser._axe import faults
from tests.browser._organiser import Organiser
from tests.browser._outage import CABLES, SEVERED, cut, mend
from tests.browser._people import Person
from tests.browser.conftest import Noise, People, Serve

APP = "timed.py"
LEFT = re.compile(r"^4:\d\d left$|^5:00 left$")


@pytest.fixture
def timed(organiser: Organiser, shared: Serve, room: str) -> Room:
    """The test's room in the running app, from this process."""
    return organiser.room(shared(APP), room)


def by(**rules: object) -> str:
    """Rules as the app finds them in the address."""
    return json.dumps(rules)


def clock(person: Person) -> Locator:
    return person.page.get_by_role("timer")


def button(person: Person) -> Locator:
    return person.page.get_by_role("button", name="Continue")


def app_says(person: Person, words: str) -> None:
    expect(person.page.locator("#told")).to_have_text(words)


def test_people_wait_for_who_has_not_come_but_not_for_ever(
    people: People, organiser: Organiser, timed: Room
) -> None:
    asked = {"duration": 300, "starts": "all_present", "start_within": 8}
    organiser.does(timed.configure(rules=Rules(rate=None, **asked)))
    organiser.does(timed.add_member("late"))
    ann, bob = people(2, APP, rules=by(**asked))
    for person in (ann, bob):
        expect(clock(person)).to_have_text(re.compile(r"in 0:0\d at the latest"))
        app_says(person, "waiting, may go, None")
        person.cannot_write("It has not begun yet")
        expect(button(person)).to_be_disabled()
    for person in (ann, bob):
        expect(clock(person)).to_have_text(LEFT, timeout=30_000)
        app_says(person, "open, may go, UTC")
    ann.says("hello")
    bob.sees("hello")


def test_the_app_starts_the_time_and_makes_it_longer(
    people: People, organiser: Organiser, timed: Room
) -> None:
    ann, bob = people(2, APP, rules=by(duration=300, starts="code"))
    ann.cannot_write("It has not begun yet")
    expect(clock(ann)).to_be_hidden()
    organiser.does(timed.start())
    for person in (ann, bob):
        expect(clock(person)).to_have_text(LEFT)
        app_says(person, "open, may go, UTC")
    ann.reloads()
    expect(clock(ann)).to_have_text(LEFT)
    organiser.does(timed.extend(3600))
    for person in (ann, bob):
        expect(clock(person)).to_have_text(re.compile(r"^1:0[45]:\d\d left$"))
    bob.says("hello")
    ann.sees("hello")


def test_the_time_starts_with_the_first_and_ends_for_all(people: People) -> None:
    rules = by(duration=12, warn=[8])
    ann, bob = people(2, APP, rules=rules)
    for person in (ann, bob):
        expect(clock(person)).to_have_text(re.compile(r"^0:\d\d left$"))
    voice = ann.page.locator(".labchat-clock [aria-live]")
    expect(voice).to_have_text("8 seconds left", timeout=20_000)
    for person in (ann, bob):
        person.stands("closed", re.compile("The time is over"))
        app_says(person, "closed, may go, None")
        person.cannot_write("This room is closed")
        expect(clock(person)).to_be_hidden()
        expect(button(person)).to_be_hidden()


def test_a_person_is_done_once_they_have_written_enough_and_tells_nobody(people: People) -> None:
    ann, bob = people(2, APP, rules=by(duration=300, min_messages=2, ends="all_done"))
    expect(button(ann)).to_be_disabled()
    expect(button(ann)).to_have_accessible_description(re.compile("2 more messages"))
    app_says(ann, "open, must stay, UTC")
    other = ann.opens_another_tab()
    ann.says("one")
    for tab in (ann, other):
        expect(button(tab)).to_have_accessible_description(re.compile("1 more message"))
    ann.says("two")
    for tab in (ann, other):
        expect(button(tab)).to_be_enabled()
    app_says(ann, "open, may go, UTC")
    button(ann).focus()
    ann.page.keyboard.press("Enter")
    for tab in (ann, other):
        expect(tab.page.get_by_text("You are done here.")).to_be_visible()
        expect(button(tab)).to_be_hidden()
        app_says(tab, "done, may go, UTC")
    app_says(bob, "open, must stay, UTC")
    expect(bob.page.get_by_text("You are done here.")).to_have_count(0)
    ann.reloads()
    expect(ann.page.get_by_text("You are done here.")).to_be_visible()
    bob.says("three", "four")
    button(bob).click()
    for person in (ann, bob):
        person.stands("closed")
        expect(person.page.locator("#told")).to_have_text(re.compile("^closed"))


def test_who_was_done_while_the_line_was_cut_is_done_when_it_is_back(
    people: People, noise: Noise
) -> None:
    noise.expects(SEVERED)
    (ann,) = people(1, APP, script=CABLES, rules=by(duration=300))
    expect(clock(ann)).to_have_text(LEFT)
    cut(ann, "chat")
    button(ann).click()
    expect(button(ann)).to_be_disabled()
    mend(ann, "chat")
    expect(ann.page.get_by_text("You are done here.")).to_be_visible()
    app_says(ann, "done, may go, UTC")


def test_what_is_shown_of_the_time_can_be_read_by_everybody(people: People) -> None:
    (ann,) = people(1, APP, rules=by(duration=300, min_messages=1))
    expect(clock(ann)).to_have_text(LEFT)
    assert faults(ann) == set()


def test_a_room_without_rules_for_it_shows_no_time_and_everybody_may_be_done(
    people: People,
) -> None:
    (ann,) = people(1, APP)
    expect(clock(ann)).to_be_hidden()
    app_says(ann, "open, may go, None")
    button(ann).click()
    app_says(ann, "done, may go, None")


def test_in_a_closed_room_are_those_who_were_there_when_it_was_closed(
    people: People, organiser: Organiser, timed: Room
) -> None:
    ann, bob = people(2, APP)
    names = ", ".join(sorted((ann.name, bob.name)))
    expect(ann.page.locator("#members")).to_have_text(names)
    organiser.does(timed.close())
    ann.stands("closed")
    me = next(m for m in organiser.does(timed.members()) if m.pseudonym == bob.name)
    organiser.does(timed.remove_member(me))
    bob.stands("removed")
    expect(ann.page.locator("#members")).to_have_text(names)
