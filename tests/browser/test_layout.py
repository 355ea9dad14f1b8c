"""A chat fits into each of Shiny's containers, wide and narrow, without styles of the app's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, ViewportSize, expect

from shiny_labchat import Room
from tests.browser._contrast import ENOUGH, contrasts
from tests.browser._organiser import Organiser
from tests.browser._people import Person
from tests.browser.conftest import People, Serve

APP = "containers.py"
DESK: ViewportSize = {"width": 1200, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 664}
IN_SIGHT = ("card", "low card", "limited card", "filling card")
"""What shows its chat at once."""
OPENED: dict[str, Literal["tab", "button"]] = {
    "tab": "tab",
    "pill": "tab",
    "accordion": "button",
    "modal": "button",
    "popover": "button",
    "offcanvas": "button",
}
"""What shows it later, when this is clicked."""
AS_HIGH_AS_WORDS = ("card", "tab", "accordion", "modal")
"""Where nothing but the chat says how high it is."""
LAST = "the newest of all"
_STYLES = "disabled-by-default-devtools.timeline.invalidationTracking"
"""Chromium's name for what traces each style that is computed."""


async def talk(room: Room, last: str = LAST) -> None:
    """More than fits into any window."""
    for n in range(12):
        await room.post(f"{n}: " + "some words about the picture, of which there are many. " * 4)
    await room.post(last)


def opens(person: Person, place: str) -> None:
    if place in OPENED:
        person.waits_until(lambda: person.page.evaluate(_IS_CONNECTED))
        person.page.get_by_role(OPENED[place], name="Talk", exact=True).click()
    person.is_in()


def closes(person: Person, place: str) -> None:
    if OPENED[place] == "tab":
        person.page.get_by_role("tab", name="Read").click()
    elif place == "accordion":
        person.page.get_by_role("button", name="Read").click()
    elif place == "modal":
        person.page.get_by_role("button", name="Dismiss").click()
    else:
        person.page.keyboard.press("Escape")
    expect(person.chat.loc).not_to_be_visible()


def is_at_rest(person: Person) -> None:
    """Nothing fades in or slides any more."""
    person.waits_until(lambda: person.page.evaluate(_IS_AT_REST))


def fits(person: Person, newest: str = LAST) -> None:
    """All of it is in sight, only the messages scroll, and the newest is shown."""
    is_at_rest(person)
    expect(person.chat.loc_message(newest)).to_be_in_viewport(ratio=1)
    person.waits_until(person.is_at_the_bottom)
    for part in (person.chat.loc, person.chat.loc_input, person.chat.loc_input_button):
        expect(part).to_be_in_viewport(ratio=0.999)
    assert person.chat.loc.evaluate(_SCROLLING) == ["labchat-log"]
    assert person.chat.loc.evaluate(_SPILLING) == []
    assert height(person.chat.loc_log) >= 80


def height(of: Locator) -> float:
    box = of.bounding_box()
    assert box is not None
    return box["height"]


@pytest.fixture
def the_room(shared: Serve, room: str, organiser: Organiser) -> Room:
    return organiser.room(shared(APP), room)


@pytest.mark.parametrize("place", [*IN_SIGHT, *OPENED])
def test_a_chat_fits_into_what_holds_it_on_a_desk_and_on_a_phone(
    people: People, the_room: Room, organiser: Organiser, place: str
):
    (ann,) = people(1, APP, settled=False, **{"in": place})
    ann.page.set_viewport_size(DESK)
    opens(ann, place)
    if place in AS_HIGH_AS_WORDS:
        is_at_rest(ann)
        assert 216 <= height(ann.chat.loc) <= 360  # pixels, of 800
    organiser.does(talk(the_room))
    for size in (DESK, PHONE):
        ann.page.set_viewport_size(size)
        fits(ann)
    ann.says("I can write here", by="click")
    fits(ann, "I can write here")
    if place in OPENED:
        closes(ann, place)
        organiser.does(the_room.post("said while nobody looked"))
        opens(ann, place)
        fits(ann, "said while nobody looked")


@pytest.mark.parametrize("place", ["sidebar", "themed sidebar", "layout_sidebar"])
def test_a_chat_fills_a_sidebar_and_has_its_colours(
    people: People, the_room: Room, organiser: Organiser, place: str
):
    organiser.does(talk(the_room))
    (ann,) = people(1, APP, **{"in": place})
    ann.page.set_viewport_size(DESK)
    fits(ann)
    assert height(ann.chat.loc) >= 550  # pixels, of 800
    assert {kind: ratio for kind, ratio in contrasts(ann.chat.loc).items() if ratio < ENOUGH} == {}
    ground = "element => getComputedStyle(element).backgroundColor"
    if place == "themed sidebar":
        assert "18, 55, 42" in ann.page.locator(".sidebar").evaluate(ground)
        assert lightness(ann.chat.loc) < 0.4
    ann.page.set_viewport_size(PHONE)
    ann.reloads()
    expect(ann.chat.loc).not_to_be_visible()
    ann.page.get_by_role("button", name="Toggle sidebar").click()
    fits(ann)
    ann.says("I can write here", by="click")
    fits(ann, "I can write here")


@pytest.mark.parametrize("place", ["card", "tab", "accordion"])
def test_a_new_message_changes_the_style_of_no_other(
    people: People, the_room: Room, organiser: Organiser, place: str
):
    (ann,) = people(1, APP, settled=False, **{"in": place})
    opens(ann, place)
    for n in range(60):
        organiser.does(
            the_room.post(f"a **message** with [a link](https://example.org/{n})", markdown=True)
        )
    ann.sees("a message with a link")
    ann.waits_until(lambda: ann.chat.loc.locator(".labchat-markdown").count() == 60)
    is_at_rest(ann)

    def styles_computed_for(text: str) -> int:
        with resolved_styles(ann) as styles:
            organiser.does(the_room.post(text))
            ann.sees(text)
        return len(styles)

    counts = [styles_computed_for(f"one more, {n}") for n in range(5)]
    assert (
        5 <= min(counts) <= 100
    )  # the page has about 1,500 elements; others may be styled meanwhile


@contextmanager
def resolved_styles(person: Person) -> Iterator[list[object]]:
    """The elements whose styles a page computes meanwhile."""
    styles: list[object] = []
    browser = person.page.context.browser
    assert browser is not None
    browser.start_tracing(page=person.page, categories=[_STYLES])
    yield styles
    events = json.loads(browser.stop_tracing())["traceEvents"]
    styles += [event for event in events if event["name"] == "StyleResolver::ResolveStyle"]


def lightness(of: Locator) -> float:
    """How light its background is, from 0 to 1."""
    return of.evaluate(_LIGHTNESS)


def test_in_express_a_chat_fits_everywhere(
    people: People, shared: Serve, room: str, organiser: Organiser
):
    organiser.does(talk(organiser.room(shared("everywhere.py"), room)))
    (ann,) = people(1, "everywhere.py", chat="aside")
    for size in (DESK, PHONE):
        ann.page.set_viewport_size(size)
        if size == PHONE:
            ann.reloads()  # else the sidebar stays open, above all else
        for chat, (role, name) in EXPRESS.items():
            there = ann.at(chat)
            ann.page.get_by_role(role, name=name, exact=True).click()
            there.is_in()
            is_at_rest(there)
            there.chat.loc.scroll_into_view_if_needed()
            there.waits_until(there.is_at_the_bottom)
            for part in (there.chat.loc_input, there.chat.loc_message(LAST)):
                expect(part).to_be_in_viewport(ratio=0.999)
            if chat in ("modal", "popover", "offcanvas"):
                there.chat.loc_input.focus()
                closes(there, chat)


def test_in_a_sidebar_below_the_page_a_chat_is_no_longer_than_the_window(
    people: People, the_room: Room, organiser: Organiser
):
    (ann,) = people(1, APP, **{"in": "sidebar that is always open"})
    organiser.does(talk(the_room))
    ann.page.set_viewport_size(PHONE)
    expect(ann.chat.loc_message(LAST)).to_be_attached()
    assert 200 < height(ann.chat.loc) < 0.8 * PHONE["height"]
    assert "labchat-log" in ann.chat.loc.evaluate(_SCROLLING)


def test_a_chat_has_the_colour_of_what_it_is_in_also_of_what_is_translucent(people: People):
    """As the sidebars of most themes are."""
    (ann,) = people(1, APP, **{"in": "sidebar"})
    for colour in ("rgb(255 120 0 / 4%)", "rgb(0 0 0 / 10%)", "rgb(40 60 200 / 0%)", "#123456"):
        chat, beside = ann.chat.loc.evaluate(_COLOURS, colour)
        assert all(abs(one - other) <= 2 for one, other in zip(chat, beside, strict=True)), colour


EXPRESS: dict[str, tuple[Any, str]] = {
    "card": ("tab", "A card"),
    "tab": ("tab", "A tab"),
    "panel": ("button", "A panel"),
    "modal": ("button", "A modal"),
    "popover": ("button", "A popover"),
    "offcanvas": ("button", "An offcanvas"),
}
"""By the chat's id, what shows it."""

_IS_CONNECTED = "() => Boolean(window.Shiny?.shinyapp?.isConnected())"
_IS_AT_REST = """() => document.getAnimations().every((each) =>
  each.playState !== "running" || each.effect.getComputedTiming().endTime === Infinity)
  && !document.querySelector(".collapsing, .transitioning, .showing, .hiding")"""
_SCROLLING = """(room) => {
  const found = [];
  for (let each = room.querySelector(".labchat-log"); each; each = each.parentElement) {
    const { overflowY } = getComputedStyle(each);
    const isPage = each === document.scrollingElement;
    const scrolls = isPage || overflowY === "auto" || overflowY === "scroll";
    const isLonger = each.scrollHeight > each.clientHeight + 1;
    if (scrolls && isLonger) found.push(each.className || each.tagName);
  }
  return found;
}"""
_SPILLING = """(room) => {
  const found = [];
  const parts = [...room.children].map((part) => part.getBoundingClientRect());
  for (let each = room; each && each !== document.body; each = each.parentElement) {
    const { left, right, top, bottom, width } = each.getBoundingClientRect();
    if (!width) continue;  // as `display: contents`
    const isOut = (part) => part.width > 0 && part.height > 0 && (part.left < left - 1
      || part.right > right + 1 || part.top < top - 1 || part.bottom > bottom + 1);
    if (parts.some(isOut)) found.push(each.className || each.tagName);
    if (getComputedStyle(each).position === "fixed") break;  // it is above the page
  }
  return found;
}"""
_COLOURS = """(room, colour) => {
  const sidebar = room.closest(".sidebar");
  sidebar.style.setProperty("--_sidebar-bg", colour);
  sidebar.style.backgroundColor = colour;
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const painted = (elements) => {
    pen.fillStyle = "white";
    pen.fillRect(0, 0, 1, 1);
    for (const each of elements) {
      pen.fillStyle = getComputedStyle(each).backgroundColor;
      pen.fillRect(0, 0, 1, 1);
    }
    return Array.from(pen.getImageData(0, 0, 1, 1).data);
  };
  return [painted([document.body, sidebar, room]), painted([document.body, sidebar])];
}"""
_LIGHTNESS = """(element) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = canvas.getContext("2d");
  pen.fillStyle = getComputedStyle(element).backgroundColor;
  pen.fillRect(0, 0, 1, 1);
  const [r, g, b] = pen.getImageData(0, 0, 1, 1).data;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}"""
