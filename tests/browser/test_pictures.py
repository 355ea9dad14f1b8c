"""The pictures of the documentation, light and dark; LABCHAT_PICTURES=1 writes them."""

from __future__ import annotations

import os
from typing import Any

from playwright.sync_api import ViewportSize, expect

from tests.browser._people import Person
from tests.browser.conftest import People
from tests.browser.test_apps import demo
from tests.support.server import ROOT, Server

__all__ = ["demo"]

FOLDER = ROOT / "docs" / "pictures"
BIGGEST = 150_000
"""The size that no picture may exceed, in bytes."""
DESK: ViewportSize = {"width": 1000, "height": 560}
SMALL: ViewportSize = {"width": 720, "height": 560}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 720},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}


def take(person: Person, name: str) -> None:
    """Their page as it is now, light and dark; nothing in it is cut off."""
    for scheme, suffix in (("light", ""), ("dark", "-dark")):
        person.page.evaluate("mode => document.documentElement.dataset.bsTheme = mode", scheme)
        assert person.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        if os.environ.get("LABCHAT_PICTURES") == "1":
            picture = person.page.screenshot(animations="disabled", caret="hide")
            assert len(picture) <= BIGGEST
            FOLDER.mkdir(exist_ok=True)
            (FOLDER / f"{name}{suffix}.png").write_bytes(picture)


def test_two_people_in_one_room(people: People):
    (both,) = people(1, "side_by_side.py", chat="left")
    both.page.set_viewport_size(DESK)
    left, right = both, both.at("right")
    left.says("Hi! Did you get the same question?")
    right.says("Yes: how many candies are in the jar.", "I would say about 300.")
    left.says("So many? I thought 180.")
    right.types("Let us ")
    left.chat.expect_typing(right.name)
    for each in (left, right):
        each.chat.expect_presence(2)
    take(both, "getting-started")


def test_a_phone(people: People):
    (ann,), (bob,) = people(1), people(1, device=PHONE)
    ann.says("Is anybody on a phone?")
    bob.chat.say("I am.", method="click")
    ann.says("And does it fit?")
    bob.sees("And does it fit?")
    take(bob, "phone")


def test_several_rooms(people: People):
    app = str(ROOT / "apps" / "03-several-rooms" / "app.py")
    ann, bob = people(2, app, chat="everybody", group="a")
    ann.page.set_viewport_size({"width": 1200, "height": 500})
    ann.says("Does everybody have a group?")
    bob.says("Yes, I am in A.")
    bob.at("mine").says("So we are together: hello!")
    ann.at("mine").sees("So we are together: hello!")
    ann.at("mine").says("Hello! How shall we begin?")
    ann.at("announcements").cannot_write("not write in it")
    take(ann, "rooms")


def test_a_themed_sidebar(people: People):
    ann, bob = people(2, "containers.py", **{"in": "themed sidebar"})
    ann.page.set_viewport_size({"width": 1000, "height": 640})
    ann.says("What do you see in the picture?")
    bob.says("A mill, and somebody with a letter.")
    ann.says("Then we have the same one. I see a dog, too.")
    take(ann, "layout-sidebar")


def test_a_models_reply(people: People):
    ann, bob = people(2, "pictured.py", title="How many candies?")
    ann.page.set_viewport_size({"width": 720, "height": 760})
    bob.says("My guess is 2,000.")
    ann.says("@assistant, is the median better than the mean here?")
    expect(ann.page.locator("article[data-live] table")).to_be_visible()
    expect(ann.page.get_by_role("button", name="Stop")).to_be_visible()
    bob.types("But ")
    ann.chat.expect_typing(bob.name)
    take(ann, "models")
    ann.chat.stop_answer()


def test_a_bot(people: People, room: str):
    ann, bob = people(2, "pictured.py", room=f"{room}-moderated", title="How many candies?")
    ann.page.set_viewport_size(SMALL)
    ann.says("I would say 420.")
    bob.says("And I would say 180.")
    ann.sees("240 candies apart", by="Moderator")
    bob.says("Only those that I can see from outside.")
    take(ann, "bots")


def test_the_demo(demo: Server, people: People):
    (left,) = people(1, demo, chat="left")
    left.page.set_viewport_size({"width": 1200, "height": 720})
    left.says("Hello, anybody there?")
    left.at("right").says("I am! Shall we ask the @assistant?")
    left.sees("no model is connected")
    database = left.page.locator("code").filter(has_text="demo.db")
    database.evaluate("(element) => (element.textContent = 'labchat-demo.db')")
    take(left, "demo")


def test_the_demo_on_a_phone(demo: Server, people: People):
    (ann,) = people(1, demo, chat="guest", device=PHONE)
    ann.says("Hello, anybody there?", by="click")
    take(ann, "demo-phone")
