"""How people write is counted where the room asks for it; and what is retracted goes."""

from __future__ import annotations

from typing import Any

import pytest

from shiny_labchat import Room, Rules
from shiny_labchat.store import events_after, find_room
from tests.browser._organiser import Organiser
from tests.browser.conftest import People, Serve

APP = "room.py"


@pytest.fixture
def where(organiser: Organiser, shared: Serve, room: str) -> Room:
    """The test's room, from outside the app."""
    return organiser.room(shared(APP), room)


def typed_in(organiser: Organiser, where: Room) -> list[dict[str, Any] | None]:
    """What the log has of how each message was written."""

    def read(conn: Any) -> list[dict[str, Any] | None]:
        found = find_room(conn, where.key)
        assert found is not None
        said = events_after(conn, found[0], 0, kinds=("message",))
        return [event.data.get("typed") for event in said]

    return organiser.does(where.log.read(read))


def test_keys_deletions_and_their_times_are_counted(
    people: People, organiser: Organiser, where: Room
) -> None:
    organiser.does(where.configure(rules=Rules(rate=None, telemetry="rhythm")))
    (ann,) = people(1, APP)
    ann.types("helo")
    ann.presses("Backspace")
    ann.types("lo")
    ann.presses("Enter")
    ann.sees("hello")
    ann.types("x")
    ann.presses("Enter")
    ann.sees("x")
    first, second = typed_in(organiser, where)
    assert first is not None and second is not None
    assert (first["keystrokes"], first["deletions"], first["pasted_chars"]) == (7, 1, 0)
    assert len(first["rhythm"]) == 6 and sum(first["rhythm"]) == first["typing_ms"]
    assert first["first_key_ms"] >= 0 and first["focus_losses"] == 0
    assert (second["keystrokes"], second["deletions"]) == (1, 0), "each is counted anew"
    assert (second["rhythm"], second["typing_ms"], second["pauses"]) == ([], 0, 0)


def test_what_is_pasted_and_leaving_the_page_is_counted(
    people: People, organiser: Organiser, where: Room
) -> None:
    organiser.does(where.configure(rules=Rules(rate=None, telemetry="counts")))
    (ann,) = people(1, APP)
    ann.types("ab")
    ann.pastes("🦦\nelsewhere")
    before = len("🦦\nelsewhere")
    ann.page.evaluate("dispatchEvent(new Event('blur')); dispatchEvent(new Event('focus'))")
    ann.page.evaluate("dispatchEvent(new Event('blur'))")
    ann.presses("Enter")
    ann.sees("elsewhere")
    [typed] = typed_in(organiser, where)
    assert typed is not None and "rhythm" not in typed
    assert (typed["keystrokes"], typed["pasted_chars"], typed["focus_losses"]) == (2, before, 2)


def test_where_nothing_is_asked_for_nothing_is_recorded(
    people: People, organiser: Organiser, where: Room
) -> None:
    ann, bob = people(2, APP)
    ann.says("hello")
    bob.sees("hello")
    assert typed_in(organiser, where) == [None]


def test_a_draft_that_was_refused_or_reloaded_is_counted_on(
    people: People, organiser: Organiser, where: Room
) -> None:
    organiser.does(where.configure(rules=Rules(rate=0.001, burst=1, telemetry="counts")))
    (ann,) = people(1, APP)
    ann.says("one")
    ann.types("ab")
    ann.presses("Enter")
    ann.is_told("You are sending messages very fast.")
    organiser.does(where.configure(rules=Rules(rate=None, telemetry="counts")))
    ann.reloads()
    ann.chat.expect_user_input("ab")
    ann.types("c")
    ann.presses("Enter")
    ann.sees("abc")
    typed = typed_in(organiser, where)[1]
    assert typed is not None and typed["keystrokes"] == 3


def test_of_what_the_app_sends_nothing_is_counted_and_the_draft_is_counted_on(
    people: People, organiser: Organiser, shared: Serve, room: str
) -> None:
    where = organiser.room(shared("box.py"), room)
    organiser.does(where.configure(rules=Rules(rate=None, telemetry="counts")))
    (ann,) = people(1, "box.py")
    ann.types("I was ")
    ann.clicks("submit")
    ann.sees("sent for me")
    ann.chat.expect_user_input("I was ")
    ann.types("typing")
    ann.presses("Enter")
    ann.sees("I was typing")
    by_app, typed = typed_in(organiser, where)[-2:]
    assert by_app is None
    assert typed is not None and typed["keystrokes"] == len("I was typing")


def test_what_is_pasted_is_refused_in_words_and_the_draft_kept(
    people: People, organiser: Organiser, where: Room
) -> None:
    organiser.does(where.configure(rules=Rules(rate=None, paste="refuse")))
    (ann,) = people(1, APP)
    ann.types("mine")
    ann.pastes(" and theirs")
    ann.is_told("Nothing can be pasted here. Please type your message.")
    assert ann.draft == "mine"
    ann.types("!")
    ann.is_told("")
    ann.presses("Enter")
    ann.sees_only("mine!")
    assert typed_in(organiser, where) == [{"pasted_chars": 0}]


def test_a_retracted_message_goes_from_every_page_and_does_not_come_back(
    people: People, organiser: Organiser, where: Room
) -> None:
    ann, bob = people(2, APP, rate="none")
    ann.says("first", "rude words", "last")
    bob.sees("last")
    [message] = [m for m in organiser.does(where.messages()) if m.content == "rude words"]
    organiser.does(where.retract(message, "rude"))
    for person in (ann, bob):
        person.sees_only("first", "last")
    bob.says("goes on")
    ann.reloads()
    ann.sees_only("first", "last", "goes on")
    (cat,) = people(1, APP)
    cat.sees_only("first", "last", "goes on")
    cat.sees_no("rude words")
