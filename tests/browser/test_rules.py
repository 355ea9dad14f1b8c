"""Rules for how people talk, as they see them: turns, limits, minima, and the clock on the wall."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, expect

from shiny_labchat import Rules
from tests.browser._axe import faults
from tests.browser._organiser import Organiser
from tests.browser._outage import CABLES, SEVERED, cut, mend
from tests.browser._people import Person
from tests.browser.conftest import Noise, People, Serve
from tests.support.workers import Served

APP = "timed.py"
SLOW = 30_000
"""Patience where a time has to pass, in milliseconds."""


def by(**rules: object) -> str:
    """Rules as the app finds them in the address."""
    return json.dumps(rules)


def in_order(people: People, **rules: object) -> tuple[Person, Person]:
    """Two people, who have joined in this order."""
    (ann,) = people(1, APP, rules=by(**rules))
    (bob,) = people(1, APP, rules=by(**rules))
    return ann, bob


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def turn(person: Person) -> Locator:
    """The line that says whose turn it is, or when one may write again."""
    return person.page.locator(".labchat-turn > .labchat-time")


def button(person: Person) -> Locator:
    return person.page.get_by_role("button", name="Continue")


def is_refused(person: Person, text: str, words: str) -> None:
    person.tries(text)
    person.is_told(re.compile(re.escape(words)))
    assert person.draft == text


def test_people_write_in_turn_and_see_whose_turn_it_is(people: People) -> None:
    ann, bob = in_order(people, turns="round_robin", turn_seconds=3600)
    expect(turn(ann)).to_have_text(re.compile(r"^It is your turn: (59:\d\d|1:00:00) left\.$"))
    expect(turn(bob)).to_have_text(re.compile(rf"^It is {ann.name}'s turn: 5"))
    is_refused(bob, "me first", "It is not your turn yet. Your text is kept.")
    ann.says("hello")
    expect(turn(bob)).to_have_text(re.compile("^It is your turn"))
    is_refused(ann, "once more", "It is not your turn yet.")
    bob.presses("Enter")
    ann.sees("me first", by=bob)
    ann.reloads()
    expect(turn(ann)).to_have_text(re.compile("^It is your turn"))
    expect(ann.chat.loc_input).to_have_value("once more")
    assert faults(ann) == set()


@pytest.mark.long
def test_who_writes_nothing_misses_their_turn(people: People) -> None:
    ann, bob = in_order(people, turns="round_robin", turn_seconds=8)
    for person in (bob, ann):
        expect(turn(person)).to_have_text(re.compile("^It is your turn"), timeout=SLOW)
    voice = bob.page.locator(".labchat-turn [aria-live]")
    expect(voice).to_have_text(f"It is {ann.name}'s turn.")


def test_the_app_says_whose_turn_it_is(
    people: People, organiser: Organiser, shared: Serve, room: str
) -> None:
    ann, bob = people(2, APP, rules=by(turns="code"))
    for person in (ann, bob):
        expect(turn(person)).to_have_text("It is nobody's turn yet.")
        expect(person.page.locator("#turn")).to_have_text("nobody")
    timed = organiser.room(shared(APP), room)
    me = next(m for m in organiser.does(timed.members()) if m.pseudonym == bob.name)
    organiser.does(timed.pass_turn(me))
    expect(turn(bob)).to_have_text("It is your turn.")
    expect(bob.page.locator("#turn")).to_have_text("mine")
    expect(ann.page.locator("#turn")).to_have_text(bob.name)
    bob.says("one", "two")
    ann.sees("two")


def test_the_message_after_the_last_is_refused_and_its_text_kept(people: People) -> None:
    ann, bob = people(2, APP, rules=by(max_messages=2))
    ann.sends_at_once("one", "two", "three")
    ann.is_told("You have written as much as you may in this room.")
    assert ann.draft == "three"
    ann.cannot_write("You have written as much as you may")
    bob.sees("one", "two")
    bob.sees_no("three")
    bob.says("mine")


def test_who_has_few_characters_left_is_told_how_many(people: People) -> None:
    (ann,) = people(1, APP, rules=by(max_characters=20))
    ann.says("fifteen letters")
    is_refused(ann, "too long", "8 characters of at most 5")
    ann.presses("Backspace", "Backspace", "Backspace", "Enter")
    ann.sees("too l")
    ann.cannot_write("You have written as much as you may")


def test_who_has_just_written_waits_and_sees_for_how_long(people: People) -> None:
    (ann,) = people(1, APP, rules=by(cooldown=6))
    ann.says("one")
    expect(turn(ann)).to_have_text(re.compile(r"^You can write the next message in 0:0\d\.$"))
    is_refused(ann, "two", "Please wait a moment before your next message.")
    expect(turn(ann)).to_be_hidden(timeout=SLOW)
    ann.presses("Enter")
    ann.sees("two")


def test_the_gate_opens_with_exactly_the_message_that_is_enough(people: People) -> None:
    (ann,) = people(1, APP, rules=by(min_messages=1, min_characters=10))
    expect(button(ann)).to_have_accessible_description(re.compile("1 more message"))
    ann.says("123456789")
    expect(button(ann)).to_have_accessible_description(re.compile("1 more character"))
    expect(button(ann)).to_be_disabled()
    ann.says("0")
    expect(button(ann)).to_be_enabled()
    expect(ann.page.locator("#told")).to_contain_text("may go")
    ann.reloads()
    expect(button(ann)).to_be_enabled()


def test_what_counts_for_the_gate_survives_restarts_and_so_does_the_gate(
    people: People, serve: Serve, noise: Noise
) -> None:
    noise.expects(SEVERED)
    app = serve(APP)
    (ann,) = people(1, app, rules=by(min_messages=1, min_characters=10))
    ann.says("123456789")
    comes_back(ann, app)
    expect(button(ann)).to_have_accessible_description(re.compile("1 more character"))
    expect(button(ann)).to_be_disabled()
    ann.says("0")
    expect(button(ann)).to_be_enabled()
    comes_back(ann, app)
    ann.reloads()
    expect(button(ann)).to_be_enabled()
    expect(ann.page.locator("#told")).to_contain_text("may go")


def comes_back(person: Person, app: Served) -> None:
    """Have a server die and start again, and wait until somebody's page is back."""
    app.kill()
    person.stands("reconnecting")
    app.start()
    person.stands("open")


def test_the_gate_opens_when_so_much_time_has_passed(people: People) -> None:
    (ann,) = people(1, APP, rules=by(min_seconds=8))
    expect(button(ann)).to_have_accessible_description(re.compile(r"You can go on in 0:0\d"))
    expect(button(ann)).to_be_disabled()
    expect(button(ann)).to_be_enabled(timeout=SLOW)
    expect(ann.page.locator("#told")).to_contain_text("may go", timeout=SLOW)
    button(ann).click()
    expect(ann.page.get_by_text("You are done here.")).to_be_visible()


def test_rules_of_a_member_are_seen_by_that_member_alone(
    people: People, organiser: Organiser, shared: Serve, room: str
) -> None:
    ann, bob = people(2, APP, rules=by(min_messages=1))
    timed = organiser.room(shared(APP), room)
    me = next(m for m in organiser.does(timed.members()) if m.pseudonym == ann.name)
    organiser.does(timed.configure(rules=Rules(rate=None, max_length=3), member=me))
    expect(button(ann)).to_be_enabled()
    expect(button(bob)).to_be_disabled()
    is_refused(ann, "four", "4 characters of at most 3")
    bob.says("four")


AHEAD, BEHIND = (
    f"const now = Date.now.bind(Date); Date.now = () => now() {way} 300_000;" for way in "+-"
)


def test_a_room_closes_at_its_moment_whatever_a_browsers_clock_says(people: People) -> None:
    rules = by(closes_at=soon(20).isoformat(), warn=[])
    (ann,) = people(1, APP, script=AHEAD, rules=rules)
    (bob,) = people(1, APP, script=BEHIND, rules=rules)
    for person in (ann, bob):
        expect(person.page.get_by_role("timer")).to_have_text(re.compile(r"^0:\d\d left$"))
    bob.says("in time")
    for person in (ann, bob):
        person.stands("closed", re.compile("The time is over"))
        person.cannot_write("This room is closed")
        expect(person.page.locator("#told")).to_have_text(re.compile("^closed"))


@pytest.mark.parametrize("clock", [AHEAD, BEHIND], ids=["ahead", "behind"])
def test_what_comes_after_closing_is_refused_whatever_a_browsers_clock_says(
    people: People, organiser: Organiser, shared: Serve, room: str, noise: Noise, clock: str
) -> None:
    """Though it was written before, while the line was cut; and its text is kept."""
    noise.expects(SEVERED)
    (ann,) = people(1, APP, script=clock + CABLES)
    (bob,) = people(1, APP)
    ann.says("in time")
    cut(ann, "chat")
    ann.tries("too late")
    rules = Rules(rate=None, closes_at=soon(3), warn=())
    organiser.does(organiser.room(shared(APP), room).configure(rules=rules))
    bob.stands("closed", re.compile("The time is over"))
    mend(ann, "chat", stands="closed")
    ann.is_told(re.compile("^This room is closed"))
    assert ann.draft == "too late"
    bob.sees_only("in time")


@pytest.mark.long
def test_a_room_opens_at_its_moment(people: People) -> None:
    (ann,) = people(1, APP, rules=by(opens_at=soon(12).isoformat()))
    expect(ann.page.get_by_role("timer")).to_have_text(re.compile(r"^It begins in 0:\d\d\.$"))
    ann.cannot_write("It has not begun yet")
    expect(ann.page.locator("#told")).to_have_text(re.compile("^waiting"))
    expect(ann.page.get_by_role("timer")).to_be_hidden(timeout=SLOW)
    expect(ann.page.locator("#told")).to_have_text(re.compile("^open"))
    ann.says("hello")


def test_outside_of_its_hours_a_room_can_be_read(people: People) -> None:
    ends = (datetime.now(UTC) - timedelta(hours=2)).strftime("%H:%M")
    begins = (datetime.now(UTC) - timedelta(hours=4)).strftime("%H:%M")
    (ann,) = people(1, APP, rules=by(hours=[begins, ends, "UTC"]))
    ann.cannot_write(f"You can write from {begins} to {ends} (UTC).")
    timer = ann.page.get_by_role("timer")
    expect(timer).to_have_text(re.compile(r"^You can write again in (19:\d\d|20:00):\d\d\.$"))
    expect(ann.page.locator("#told")).to_have_text(re.compile("^open"))


def test_nobody_is_shown_who_types_or_is_here_where_rules_say_so(
    people: People, organiser: Organiser, shared: Serve, room: str
) -> None:
    ann, bob = people(2, APP, rules=by(typing=False, presence=False))
    bob.types("x and y")
    bob.presses("Enter")
    ann.sees("x and y")
    ann.chat.expect_typing(None)
    expect(ann.chat.loc_presence).to_be_hidden()
    timed = organiser.room(shared(APP), room)
    organiser.does(timed.configure(rules=Rules(rate=None)))
    expect(ann.chat.loc_presence).to_contain_text("2 here")
    bob.types("z")
    ann.chat.expect_typing(bob.name)
    organiser.does(timed.configure(rules=Rules(rate=None, typing=False, presence=False)))
    ann.chat.expect_typing(None)
    expect(ann.chat.loc_presence).to_be_hidden()


def test_who_comes_later_reads_what_is_said_from_then_on(people: People) -> None:
    (ann,) = people(1, APP, rules=by(history="joined"))
    ann.says("early")
    (bob,) = people(1, APP, rules=by(history="joined"))
    ann.says("late")
    bob.sees_only("late")
    bob.reloads()
    bob.sees_only("late")
