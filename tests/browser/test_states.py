"""What the organiser does to a room is shown in words, at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from shiny_labchat import Member, Room
from tests.browser._organiser import Organiser
from tests.browser._people import Person
from tests.browser.conftest import Noise, People, Serve

InRoom = Callable[[], Room]


@pytest.fixture
def the_room(shared: Serve, room: str, organiser: Organiser) -> Room:
    return organiser.room(shared("room.py"), room)


def seat_of(person: Person, room: Room, organiser: Organiser) -> Member:
    (seat,) = [m for m in organiser.does(room.members()) if m.pseudonym == person.name]
    return seat


def test_the_first_one_is_told_so(people: People):
    (ann,) = people(1)
    ann.stands("open", "You are the first here.")
    people(1)
    expect(ann.chat.loc_status).to_have_text("")


def test_a_closed_room_can_be_read_and_says_why(
    people: People, the_room: Room, organiser: Organiser
):
    ann, bob = people(2)
    ann.says("before")
    ann.chat.set_user_input("a draft")
    organiser.does(the_room.close("Thank you for taking part."))
    for person in (ann, bob):
        person.stands("closed", "This room is closed.")
        person.stands("closed", "Thank you for taking part.")
    ann.presses("Enter")
    ann.is_told("This room is closed.")
    assert ann.draft == "a draft"
    bob.reloads()
    bob.stands("closed", "Thank you for taking part.")
    bob.sees_only("before")
    organiser.does(the_room.open())
    ann.stands("open")
    ann.presses("Enter")
    bob.sees("a draft", by=ann)


def test_a_removed_member_is_told_and_hears_nothing_more(
    people: People, the_room: Room, organiser: Organiser
):
    ann, bob = people(2)
    ann.says("hello")
    bob.sees("hello")
    organiser.does(the_room.remove_member(seat_of(ann, the_room, organiser)))
    ann.stands("removed", "You have been removed from this room.")
    bob.says("now we are alone")
    bob.chat.expect_presence(1)
    ann.cannot_write("You have been removed from this room.")
    ann.reloads()
    ann.stands("removed", "You have been removed from this room.")
    ann.sees_only()
    bob.sees_only("hello", "now we are alone")


def test_a_muted_member_is_told_and_may_speak_again_later(
    people: People, the_room: Room, organiser: Organiser
):
    ann, bob = people(2)
    seat = seat_of(ann, the_room, organiser)
    ann.types("let me")
    organiser.does(the_room.mute(seat))
    ann.stands("readonly", "You cannot write in this room at the moment.")
    bob.stands("open")
    ann.cannot_write("You cannot write in this room at the moment.")
    ann.presses("Enter")
    ann.is_told("You cannot write in this room at the moment.")
    assert ann.draft == "let me"
    organiser.does(the_room.unmute(seat))
    ann.stands("open")
    ann.presses("Enter")
    bob.sees("let me", by=ann)


def test_an_announcement_is_nobodys(people: People, the_room: Room, organiser: Organiser):
    ann, bob = people(2)
    organiser.does(the_room.announce("Five minutes left."))
    for person in (ann, bob):
        person.sees("Five minutes left.", by="")
        expect(person.chat.loc_latest_message).to_have_attribute("data-role", "system")


def test_a_post_from_outside_the_app_is_seen_at_once(
    people: People, the_room: Room, organiser: Organiser
):
    ann, bob = people(2)
    organiser.does(the_room.post("from a script"))
    organiser.does(the_room.post("for ann", audience=[seat_of(ann, the_room, organiser)]))
    ann.sees_only("from a script", "for ann")
    bob.says("not for me")
    bob.sees_only("from a script", "not for me")


def test_a_new_name_is_shown_to_all(people: People, the_room: Room, organiser: Organiser):
    ann, bob = people(2)
    seat = seat_of(ann, the_room, organiser)
    organiser.does(the_room.add_member(seat, pseudonym="Grace Hopper"))
    bob.chat.expect_presence(["Grace Hopper", bob.name])
    ann.says("it is me")
    bob.sees("it is me", by="Grace Hopper")
    expect(ann.chat.loc).to_contain_text("You are Grace Hopper")


def test_presence_follows_who_comes_and_goes(people: People):
    ann, bob = people(2)
    ann.chat.expect_presence([ann.name, bob.name])
    bob.leaves()
    ann.chat.expect_presence([ann.name])
    ann.chat.expect_presence(1)


def test_typing_is_shown_to_the_others_until_the_message_comes(people: People):
    ann, bob, carl = people(3)
    ann.types("hm")
    bob.chat.expect_typing(ann.name)
    bob.types("hm")
    carl.chat.expect_typing({ann.name, bob.name})
    ann.chat.expect_typing(bob.name)
    ann.presses("Enter")
    bob.chat.expect_typing(None)
    carl.chat.expect_typing(bob.name)


def test_who_types_on_after_a_quick_message_is_seen_typing(people: People):
    ann, bob = people(2)
    for n in range(3):
        ann.types("ok")
        ann.presses("Enter")
        ann.chat.loc_input.press_sequentially("and another thing", delay=100)
        bob.sees("ok")
        looks = []
        for _ in range(8):
            ann.types("…")
            bob.page.wait_for_timeout(200)
            looks.append(bob.chat.loc_typing.inner_text())
        assert looks == [f"{ann.name} is typing…"] * 8, f"after message {n}"
        ann.chat.loc_input.fill("")


def test_what_is_sent_while_the_server_is_away_arrives_once(
    people: People, serve: Serve, noise: Noise
):
    noise.expects("WebSocket connection to|ERR_CONNECTION_REFUSED")
    app = serve("room.py")
    ann, bob = people(2, app)
    ann.says("before")
    bob.sees("before")
    app.stop()
    ann.stands("reconnecting")
    ann.tries("meanwhile")
    expect(ann.chat.loc_outbox).to_contain_text("Will be sent when the connection is back")
    ann.sees_only("before")
    app.start()
    ann.stands("open")
    ann.sees_only("before", "meanwhile")
    bob.sees_only("before", "meanwhile")
