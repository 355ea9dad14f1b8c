"""The README's pictures; LABCHAT_PICTURES=1 writes them."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.conftest import People

DOCS = Path(__file__).parents[2] / "docs"
PNG = b"\x89PNG"


def take(page: Page, name: str) -> None:
    picture = page.screenshot()
    assert picture.startswith(PNG)
    if os.environ.get("LABCHAT_PICTURES") == "1":
        DOCS.mkdir(exist_ok=True)
        (DOCS / name).write_bytes(picture)


def test_a_picture_of_two_people(people: People):
    (both,) = people(1, "side_by_side.py", chat="left")
    both.page.set_viewport_size({"width": 1100, "height": 560})
    left, right = both, both.at("right")
    left.says("Hi! Did you get the same question?")
    right.says("Yes: how many candies are in the jar.", "I would say about 300.")
    left.says("So many? I thought 180.")
    right.types("Let us ")
    left.chat.expect_typing(right.name)
    for each in (left, right):
        each.chat.expect_presence(2)
    take(both.page, "two-people.png")


def test_a_picture_of_a_phone(people: People):
    phone = {
        "viewport": {"width": 390, "height": 720},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    }
    (ann,) = people(1)
    (bob,) = people(1, device=phone)
    ann.says("Is anybody on a phone?")
    bob.chat.say("I am.", method="click")
    ann.says("And does it fit?")
    bob.sees("And does it fit?")
    take(bob.page, "phone.png")
