"""`on_user_submit`: nobody waits for anybody's handler, and errors are their sender's."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.sync_api import expect

from tests.browser._organiser import Organiser
from tests.browser.conftest import People, Serve


def test_nobody_waits_for_a_handler_that_waits(people: People):
    ann, bob, carl = people(3, "handlers.py")
    ann.says("wait")
    bob.says("I need not wait")
    carl.sees("I need not wait", by=bob)
    carl.says("count")
    carl.reads("count", "counted 1")
    ann.sees("I need not wait")
    for person in (ann, bob, carl):
        person.sees_no("waited")
    bob.says("go on")
    for person in (ann, bob, carl):
        person.sees("waited")


def test_a_handler_that_fails_is_its_senders_alone(people: People):
    ann, bob = people(2, "handlers.py")
    ann.says("fail")
    ann.is_notified("the handler broke at line 7")
    bob.sees("fail")
    bob.says("what happened?")
    ann.sees("what happened?")
    expect(bob.notifications()).to_have_count(0)
    ann.says("count")
    ann.reads("count", "counted 1")


@pytest.mark.parametrize(
    ("on_error", "words"),
    [
        ("actual", "the handler broke at line 7"),
        ("sanitize", "An error has occurred"),
    ],
)
def test_on_error_says_what_the_sender_is_shown(people: People, on_error: str, words: str):
    (ann,) = people(1, "handlers.py", on_error=on_error)
    ann.says("fail")
    ann.is_notified(words)


def test_an_error_without_words_is_shown_by_its_name(people: People):
    (ann,) = people(1, "handlers.py")
    ann.says("time out")
    ann.is_notified("TimeoutError")


def test_what_a_handler_notifies_its_sender_of_is_shown_and_nothing_else(people: People):
    (ann,) = people(1, "handlers.py", on_error="sanitize")
    ann.says("notify")
    shown = ann.page.locator(".shiny-notification-content-text")
    expect(shown).to_have_text("You have been here before.")


def test_on_error_unhandled_ends_the_senders_session_and_no_other(people: People):
    ann, bob = people(2, "handlers.py", on_error="unhandled")
    for person in (ann, bob):
        person.says("count")
        person.reads("count", "counted 1")
    ann.says("fail")
    ann.reads("count", "counted 0")  # another session has begun
    bob.says("count")
    bob.reads("count", "counted 2")


def test_a_handler_that_blocks_is_named_in_the_log(people: People, shared: Serve):
    (ann,) = people(1, "handlers.py")
    ann.says("block")
    named = r"'obey' \(.*handlers\.py:\d+\) blocked the whole server for \d\.\d s"
    shared("handlers.py").logs(named)


def test_a_handler_reads_inputs_and_sets_what_outputs_show(people: People):
    ann, bob = people(2, "handlers.py")
    ann.page.get_by_label("Suffix").fill("changed")
    ann.says("read")
    bob.sees("suffix: changed")
    bob.says("read")
    ann.sees("suffix: as given")
    for n in range(3):
        ann.says("count")
        ann.reads("count", f"counted {n + 1}")
    bob.reads("count", "counted 0")


def test_in_a_handler_messages_end_with_the_one_being_handled(people: People):
    ann, bob = people(2, "handlers.py")
    bob.says("earlier")
    ann.sees("earlier")
    ann.says("pin this")
    bob.says("later", "go on")
    ann.sees("last of 2: pin this")


@pytest.mark.parametrize("app", ["handlers.py", "reads.py"])
def test_a_long_room_is_read_whole_from_the_first_message_on(
    people: People, shared: Serve, room: str, organiser: Organiser, app: str
):
    """It is longer than what a server has in memory of a room."""
    long = organiser.room(shared(app), room)

    async def fill() -> None:
        await asyncio.gather(*(long.post(f"{n}") for n in range(450)))

    organiser.does(fill())
    ann, bob = people(2, app)
    if app == "handlers.py":
        ann.says("pin this")
        bob.says("go on")
        ann.sees("last of 451: pin this")
    else:
        ann.reads("said", re.compile(r"^None: 0 / None: 1 / .* / None: 449$"))
        bob.says("hi")
        ann.reads("said", re.compile(r"^None: 0 / .* / None: 449 / Player [12]: hi$"))


def test_every_form_of_a_handler_is_called(people: People):
    (ann,) = people(1, "forms.py")
    ann.says("hi")
    ann.reads("forms", "async hi, async hi [], async nothing, sync hi, sync hi [], sync nothing")


def test_what_the_chat_knows_can_be_shown_in_outputs(people: People):
    (ann,) = people(1, "reads.py")
    ann.reads("said", "nothing")
    ann.reads("members", "Player 1*")
    ann.reads("me", "Player 1")
    ann.reads("state", "open")
    ann.reads("last_input", "None")
    (bob,) = people(1, "reads.py")
    ann.reads("members", "Player 1*, Player 2")
    bob.reads("members", "Player 1, Player 2*")
    bob.says("hi")
    ann.reads("said", "Player 2: hi")
    bob.reads("last_input", "'hi'")
    ann.reads("last_input", "None")
    ann.says("ho")
    bob.reads("said", "Player 2: hi / Player 1: ho")


def test_a_reply_of_a_handler_whose_page_has_gone_is_kept(people: People):
    ann, bob = people(2, "handlers.py")
    ann.says("wait")
    ann.leaves()
    bob.chat.expect_presence(1)
    bob.says("go on")
    bob.sees("waited")


@pytest.mark.parametrize("button", ["again", "end"])
def test_a_handler_whose_chat_is_made_anew_or_ended_meanwhile_goes_on(people: People, button: str):
    ann, bob = people(2, "redrawn.py")
    ann.says("wait")
    ann.clicks(button)
    if button == "end":
        bob.chat.expect_presence(1)
    else:
        expect(ann.page.locator("#number")).to_have_text("chat 1")
    bob.says("go on")
    bob.sees("chat 0 was told wait")
    if button == "again":
        ann.sees("chat 0 was told wait", "for one")
        ann.says("and you?")
        bob.sees("chat 1 was told wait go on")
