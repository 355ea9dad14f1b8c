"""A page's address brings people back into their room, and invites others."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from shiny_labchat import Member, Room
from tests.browser._organiser import Organiser
from tests.browser._people import Person
from tests.browser.conftest import Noise, People, Serve
from tests.support.server import ROOT
from tests.support.workers import Served

APP = "bookmarks.py"


def is_kept(person: Person, pattern: str = "[?&]chat--place=") -> str:
    """Wait until their address leads back to the chat; gives it."""
    expect(person.page).to_have_url(re.compile(pattern))
    return person.page.url


def follows(address: str, people: People, app: str | Served = APP) -> Person:
    """Somebody with a browser of their own opens an address that they were sent."""
    (person,) = people(1, app, settled=False)
    person.opens(address)
    person.is_in()
    return person


@pytest.fixture
def the_room(shared: Serve, room: str, organiser: Organiser) -> Room:
    return organiser.room(shared(APP), room)


def the_seat(person: Person, room: Room, organiser: Organiser) -> Member:
    (seat,) = [m for m in organiser.does(room.members()) if m.pseudonym == person.name]
    return seat


def names_in(room: Room, organiser: Organiser) -> set[str]:
    return {member.pseudonym for member in organiser.does(room.members())}


def test_after_a_reload_one_is_the_same_in_the_same_room(people: People):
    (ann,) = people(1, APP)
    name = ann.name
    ann.says("my own words")
    address = is_kept(ann)
    ann.reloads()
    assert (ann.name, ann.page.url) == (name, address)
    ann.sees_only("my own words")
    ann.chat.expect_own(True, "my own words")
    for secret in ("own", name.split()[0], "hello", "user_input"):
        assert secret not in address


def test_the_browsers_keys_are_not_in_it_either_where_a_chat_has_not_come_yet(people: People):
    (ann,) = people(1, APP)
    expect(ann.at("later").chat.loc).to_be_attached()
    address = is_kept(ann)
    keys = ann.page.evaluate("[localStorage, sessionStorage].map((kept) => kept.labchat)")
    assert all(len(key) >= 16 and key not in address for key in keys)
    assert "later_hello" not in address


def test_in_another_browser_it_opens_the_room_to_somebody_new(people: People):
    (ann,) = people(1, APP)
    ann.says("come in")
    bob = follows(is_kept(ann), people)
    assert bob.name != ann.name
    bob.chat.expect_own(False, "come in")
    bob.says("here I am")
    ann.sees("here I am", by=bob)
    assert is_kept(bob) != ann.page.url


def test_anywhere_it_is_the_same_person_if_the_app_says_so(people: People):
    (ann,) = people(1, APP, restore="anywhere")
    ann.says("it is me")
    other = follows(is_kept(ann), people)
    assert other.name == ann.name
    other.chat.expect_own(True, "it is me")
    ann.chat.expect_presence(1)


def test_in_a_tab_of_its_own_it_is_somebody_new_where_tabs_are_people(people: People):
    (ann,) = people(1, APP, identity="tab")
    is_kept(ann)
    name = ann.name
    tab = ann.opens_another_tab()
    assert tab.name != name
    ann.reloads()
    assert ann.name == name


def test_a_removed_person_is_told_so_and_their_address_is_over(
    people: People, the_room: Room, organiser: Organiser
):
    ann, bob = people(2, APP)
    address = is_kept(ann)
    ann.says("before")
    bob.sees("before")
    organiser.does(the_room.remove_member(the_seat(ann, the_room, organiser)))
    ann.reloads()
    ann.stands("removed", "You have been removed from this room.")
    ann.cannot_write("You have been removed from this room.")
    ann.sees_only()
    carl = follows(address, people)
    carl.stands("gone", "This link does not lead into the room any more.")
    carl.sees_only()
    assert len(names_in(the_room, organiser)) == 1
    bob.says("still here")
    ann.sees_no("still here")


def test_a_room_that_vanished_is_explained(people: People, serve: Serve):
    """The database was exchanged; the address names no room otherwise."""
    (ann,) = people(1, APP, room="default")
    address = is_kept(ann)
    new = serve(APP)
    there = re.sub(r":\d+/", f":{new.port}/", address)
    lost = follows(there, people, new)
    lost.stands("gone", "This room does not exist any more.")
    lost.stands("gone", "open the address of this page without the part after its question mark.")
    lost.cannot_write("This room does not exist any more.")
    assert not [line for line in new.log if "Traceback" in line]


def test_a_module_is_kept_beside_it(people: People):
    (ann,) = people(1, APP)
    inner = ann.at("inner-chat")
    is_kept(ann)
    inner.says("one", "two")
    inner.sees("2: two")
    is_kept(inner, "[?&]inner-chat--place=")
    ann.reloads()
    inner.is_in()
    inner.sees_only("one", "1: one", "two", "2: two")
    inner.says("three")
    inner.sees("3: three")


def test_after_cancelling_the_next_address_is_without_it(people: People):
    (ann,) = people(1, APP)
    is_kept(ann)
    ann.clicks("cancel")
    ann.reads("cancelled", "cancelled 1 times")
    ann.at("inner-chat").says("anything")  # this one still makes bookmarks
    is_kept(ann, "[?&]inner-chat--place=")
    expect(ann.page).not_to_have_url(re.compile("[?&]chat--place="))


def test_an_open_page_goes_on_in_its_room_after_a_restart(
    people: People, serve: Serve, noise: Noise
):
    """Nothing but the address knows which room that is."""
    noise.expects("WebSocket connection to|ERR_CONNECTION_REFUSED")
    app = serve(str(ROOT / "apps" / "06-bookmarks" / "app.py"))
    (ann,) = people(1, app)
    ann.clicks("begin")
    ann.says("six sheep")
    ann.sees("Words with an s so far: 2")
    is_kept(ann)
    name = ann.name
    app.kill()
    ann.stands("reconnecting")
    app.start()
    ann.stands("open")
    assert ann.name == name
    ann.says("six again")
    ann.sees("Words with an s so far: 3")


def test_the_app_to_start_from_keeps_conversations_apart(people: People, serve: Serve):
    app = serve(str(ROOT / "apps" / "06-bookmarks" / "app.py"))
    ann, eve = people(2, app)
    ann.stands("waiting", "Begin a conversation.")
    ann.clicks("begin")
    eve.clicks("begin")
    ann.says("salt, sugar and tea")
    ann.sees("Words with an s so far: 2")
    bob = follows(is_kept(ann), people, app)
    bob.sees_only("salt, sugar and tea")
    bob.says("yes")
    bob.sees("Words with an s so far: 1")
    ann.sees("yes", by=bob)
    ann.reloads()
    ann.says("so")
    ann.sees("Words with an s so far: 3")
    eve.sees_no("salt, sugar and tea")
    assert not [line for line in app.log if "Traceback" in line or "Error" in line]
