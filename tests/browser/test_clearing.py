"""Emptying a screen, ending a chat, and chats that come and go."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser._organiser import Organiser
from tests.browser.conftest import People, Serve


def test_clearing_ones_view_is_for_good_and_nobody_elses(people: People):
    ann, bob = people(2, "box.py")
    ann.says("old")
    bob.sees("old")
    ann.clicks("clear_view")
    ann.sees_only()
    bob.says("new")
    ann.sees_only("new")
    bob.sees_only("old", "new")
    ann.reloads()
    ann.sees_only("new")


def test_clearing_the_room_is_everybodys_and_the_log_keeps_all(
    people: People, shared: Serve, room: str, organiser: Organiser
):
    ann, bob = people(2, "box.py")
    ann.says("old")
    bob.sees("old")
    ann.clicks("clear_room")
    bob.sees_only()
    ann.sees_only()
    bob.says("new")
    (carl,) = people(1, "box.py")
    carl.sees_only("new")
    logged = organiser.does(organiser.room(shared("box.py"), room).messages())
    assert [message.content for message in logged] == ["old", "new"]


def test_clearing_something_else_is_an_error(people: People):
    (ann,) = people(1, "box.py")
    ann.clicks("clear_wrong")
    ann.reads("error", 'error: scope must be "view" or "room", not \'all\'')


def test_a_destroyed_chat_leaves_the_page_as_it_is_and_the_others_go_on(people: People):
    ann, bob = people(2, "box.py")
    ann.says("bye")
    ann.types("half a ")
    ann.clicks("destroy")
    bob.chat.expect_presence(1)
    bob.says("gone already")
    ann.types("sentence")
    ann.presses("Enter")
    ann.is_told("This chat has ended.")
    assert ann.draft == "half a sentence"
    ann.sees_only("bye")


def test_a_chat_in_an_output_appears_again_with_all_that_was_said(people: People):
    ann, bob = people(2, "appears.py")
    ann.says("one")
    ann.clicks("toggle")
    expect(ann.chat.loc).to_have_count(0)
    bob.says("two")
    ann.clicks("toggle")
    ann.is_in()
    ann.sees_only("one", "two")
    name = ann.name
    ann.says("three")
    bob.sees("three", by=name)


def test_a_chat_whose_room_comes_late_waits_and_says_so(people: People):
    ann, bob = people(2, "appears.py", chat="later")
    ann.stands("waiting", "Waiting for a room")
    ann.reads("later_state", "later is waiting")
    ann.cannot_write("Waiting for a room")
    ann.clicks("find")
    ann.stands("open")
    ann.reads("later_state", "later is open")
    bob.clicks("find")
    bob.stands("open")
    ann.says("here we are")
    bob.sees("here we are", by=ann)
    ann.clicks("move")
    ann.sees_only()
    bob.says("ann has moved on")
    ann.says("all alone")
    ann.sees_only("all alone")
    bob.sees_only("here we are", "ann has moved on")
