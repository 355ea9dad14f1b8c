"""Every word can be read in the themes that Shiny offers, light and dark; all in a long run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator

from shiny_labchat import Room
from tests.browser._contrast import ENOUGH, contrasts
from tests.browser._full_room import APP, fill, quieten
from tests.browser._organiser import Organiser
from tests.browser._people import Person
from tests.browser.conftest import People, Serve
from tests.support.themes import PRESETS, style_sheet

SOME = ("bootstrap", "shiny", "brite", "cyborg", "quartz", "sketchy", "solar", "vapor")
"""Those that differ most: plain, bright, dark, with gradients, in low contrast."""
THEMES = PRESETS if os.environ.get("LABCHAT_LONG") == "1" else SOME
CALM = {"reduced_motion": "reduce"}
"""No colour is on its way to another one."""


@pytest.fixture
def the_room(shared: Serve, room: str, organiser: Organiser) -> Room:
    return organiser.room(shared(APP), room)


def themes(person: Person) -> Iterator[str]:
    """Apply one theme after the other, each light and dark."""
    person.page.evaluate(_PREPARE)
    for preset in THEMES:
        person.page.evaluate("css => document.querySelector('#theme').textContent = css",
                             style_sheet(preset))  # fmt: skip
        for mode in ("light", "dark"):
            person.page.evaluate("mode => document.documentElement.dataset.bsTheme = mode", mode)
            yield f"{preset}, {mode}"


def unreadable(scope: Locator, *, least: int) -> dict[str, float]:
    """The kinds of words that are hard to read, of at least so many."""
    measured = contrasts(scope)
    assert len(measured) >= least, f"only {sorted(measured)}"
    return {what: round(ratio, 2) for what, ratio in measured.items() if ratio < ENOUGH}


@pytest.mark.long
def test_every_word_can_be_read_in_every_theme_and_what_is_typed_focused_or_not(
    people: People, the_room: Room, organiser: Organiser
):
    (ann,), (bob,) = people(1, APP, device=CALM), people(1, APP)
    fill(ann, bob, the_room, organiser)
    found: dict[str, dict[str, float]] = {}
    for theme in themes(ann):
        ann.chat.loc_input.blur()
        found[theme] = unreadable(ann.chat.loc, least=30)
        ann.chat.loc_input.focus()
        found[f"{theme}, focused"] = unreadable(ann.chat.loc_input_container, least=3)
    assert {theme: words for theme, words in found.items() if words} == {}
    quieten(bob)


def test_a_closed_room_can_be_read_in_every_theme(
    people: People, the_room: Room, organiser: Organiser
):
    ann, _ = people(2, APP, device=CALM)
    ann.says("before")
    organiser.does(the_room.close("Thank you."))
    ann.stands("closed", "Thank you.")
    found = {theme: unreadable(ann.chat.loc, least=8) for theme in themes(ann)}
    assert {theme: words for theme, words in found.items() if words} == {}


_PREPARE = """() => {
  const link = document.querySelector('link[href*="bootstrap.min.css"]');
  link.replaceWith(Object.assign(document.createElement("style"), { id: "theme" }));
  const shown = ".labchat-copy { opacity: 1 !important }";  // as under the mouse
  document.head.append(Object.assign(document.createElement("style"), { textContent: shown }));
}"""
