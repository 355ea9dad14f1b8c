"""
The pages of the apps and the demo are accessible, as far as a program can tell.

`test_apps` looks at those apps whose first page is a chat.
"""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser._axe import faults
from tests.browser._full_room import APP, fill, quieten
from tests.browser._organiser import Organiser
from tests.browser.conftest import People, Serve
from tests.browser.test_apps import demo
from tests.support.server import ROOT, Server

__all__ = ["demo"]


def test_axe_finds_nothing_serious_in_a_conversation_with_a_link(people: People, serve: Serve):
    (ann,) = people(1, serve(str(ROOT / "apps" / "06-bookmarks" / "app.py")))
    assert faults(ann) == set()
    ann.clicks("begin")
    ann.says("so be it")
    ann.sees("Words with an s so far")
    assert faults(ann) == set()


def test_axe_finds_nothing_serious_in_a_private_room(people: People, serve: Serve):
    (ann,) = people(1, serve(str(ROOT / "apps" / "08-private-room-with-a-bot" / "app.py")), p="ann")
    ann.says("hello")
    ann.sees("I am a script, not a model")
    assert faults(ann) == set()


def test_axe_finds_nothing_serious_in_the_demo(demo: Server, people: People):
    (left,) = people(1, demo, chat="left")
    (guest,) = people(1, demo, chat="guest", join="")
    for person in (left, guest):
        person.says("hello, @assistant")
    expect(left.page.locator("[aria-busy=true]")).to_have_count(0)
    assert faults(left) == set()
    assert faults(guest) == set()


def test_axe_finds_nothing_serious_in_whatever_a_room_can_show(
    people: People, shared: Serve, room: str, organiser: Organiser
):
    """Streams, tools, code, all that is folded, and a refusal."""
    ann, bob = people(2, APP)
    fill(ann, bob, organiser.room(shared(APP), room), organiser)
    assert faults(ann) == set()
    quieten(bob)
