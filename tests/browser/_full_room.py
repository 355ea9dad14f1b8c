"""A room in which everything can be seen that a room can show."""

from __future__ import annotations

from playwright.sync_api import expect

from shiny_labchat import Room
from tests.browser._organiser import Organiser
from tests.browser._people import Person

__all__ = ["APP", "fill", "quieten"]

APP = "streams.py"
CODE = r"```python\n# a comment\n@deco\nclass A(B):\n    x: int = 1.5\n    s = r'\d' or None\n```"
WORDS = (
    r"A `name`, a [link](https://example.org) and **more**.\n\n> said before\n\n| a |\n|---|\n| 1 |"
)
ORACLE = (
    f"says {WORDS}",
    rf"says \n\n{CODE}",
    "thinks hm",
    "asks it",
    "hears rain",
    "fails badly",
    "searches rain",
    "finds https://example.org/rain",
)


def fill(ann: Person, bob: Person, room: Room, organiser: Organiser) -> None:
    """Show Ann all of it, and refuse a message of hers; two answers go on."""
    bob.says("another's", "`not code`")
    ann.says("mine", "whisper for ann alone", "open Sibyl", "open Oracle")
    ann.says(*(f"Oracle {order}" for order in ORACLE), "Sibyl thinks it over")
    organiser.does(room.announce("Five minutes left."))
    ann.sees("for ann alone", "Five minutes left.")
    expect(ann.page.locator("article[data-live] .hljs-comment")).to_be_visible()
    unfold(ann)
    expect(ann.page.locator(".labchat-web a")).to_be_visible()
    bob.types("hm")
    ann.chat.expect_typing(bob.name)
    ann.chat.loc_input.fill("x" * 5_001)
    ann.presses("Enter")
    ann.is_told("too long")


def unfold(person: Person) -> None:
    person.chat.loc.evaluate(
        "room => room.querySelectorAll('details').forEach(each => (each.open = true))"
    )


def quieten(bob: Person) -> None:
    """The answers end."""
    bob.chat.loc_input.fill("")
    bob.says("Oracle ends", "Sibyl ends")
