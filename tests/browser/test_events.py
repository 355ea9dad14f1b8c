"""What a person did once happens once, however often their page comes back."""

from __future__ import annotations

from collections import Counter
from itertools import count

import pytest
from playwright.sync_api import expect

from tests.browser._organiser import Organiser
from tests.browser._outage import CABLES, SEVERED, cut, mend
from tests.browser._people import Person
from tests.browser.conftest import Noise, People, Serve
from tests.integration.conftest import log_of
from tests.support.workers import Served

BUTTONS = ("button", "link", "task", "toolbar", "drawn", "greeted", "inside-button")
SET = ("flag", "text", "fields", "number")
ALL = (*BUTTONS, *SET, "area")


@pytest.fixture(autouse=True)
def expects_noise(noise: Noise) -> None:
    noise.expects(SEVERED)


def presses_all(person: Person) -> None:
    for name in (*BUTTONS, *SET):
        person.page.locator(f"#{name}").click()
    area = person.page.locator("#area")
    area.fill("words")
    area.press("Control+Enter")


def settles(person: Person) -> None:
    """What the page's session has to do now is done."""
    text = f"settle {next(_numbers)}"
    person.says(text)
    expect(person.chat.loc_message(f"done: {text}.")).to_have_count(1)


_numbers = count(1)


def fired(organiser: Organiser, app: Served, room: str) -> Counter[str]:
    log = organiser.does(log_of(organiser.room(app, room)))
    return Counter(event.data["value"]["name"] for event in log if event.kind == "recorded")


def test_nothing_fires_again_when_a_page_comes_back(
    people: People, serve: Serve, organiser: Organiser, room: str
):
    app = serve("events.py")
    (ann,) = people(1, app, script=CABLES)
    presses_all(ann)
    settles(ann)
    once = Counter({**dict.fromkeys(ALL, 1), "a function": 1, "one of two": 2})
    assert fired(organiser, app, room) == once
    kept = ann.page.locator("#values").inner_text()
    assert "button: 1" in kept and "fields: {'a': 1}" in kept and "area: words" in kept

    for _ in range(2):
        cut(ann, "shiny")
        mend(ann, "shiny")
        ann.reads("values", kept)
        ann.reads("drawn_at_press", "pressed 1")
        settles(ann)
    assert fired(organiser, app, room) == once

    app.kill()
    ann.stands("reconnecting")
    app.start()
    ann.stands("open")
    expect(ann.page.locator("#shiny-disconnected-overlay")).not_to_be_attached()
    ann.reads("values", kept)
    settles(ann)
    assert fired(organiser, app, room) == once

    presses_all(ann)
    settles(ann)
    assert fired(organiser, app, room) == once + once
    ann.reads("drawn_at_press", "pressed 2")

    ann.opens(ann.page.url)  # the bookmark in its address
    ann.is_in()
    settles(ann)
    settles(ann.opens_another_tab())
    assert fired(organiser, app, room) == once + once


def test_what_is_pressed_while_the_line_is_down_fires_once(
    people: People, serve: Serve, organiser: Organiser, room: str
):
    app = serve("events.py")
    (ann,) = people(1, app, script=CABLES)
    ann.page.locator("#button").click()
    settles(ann)
    cut(ann, "shiny")
    ann.page.evaluate("() => document.getElementById('button').click()")
    mend(ann, "shiny")
    ann.reads("drawn_at_press", "pressed 2")
    settles(ann)
    assert fired(organiser, app, room)["button"] == 2
