"""A text above a chat can be read on a phone, and neither is squeezed for the other."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FloatRect, Locator, ViewportSize, expect

from tests.browser._contrast import ENOUGH, contrasts
from tests.browser._participants import Participant
from tests.browser.conftest import People, Serve

APP = "above.py"
SIZES: dict[str, ViewportSize] = {
    "phone": {"width": 390, "height": 844},
    "small phone": {"width": 320, "height": 568},
    "phone on its side": {"width": 844, "height": 390},
    "desk": {"width": 1200, "height": 800},
}
DECIDED = "We have decided"


def box(of: Locator) -> FloatRect:
    found = of.bounding_box()
    assert found is not None
    return found


def bottom(of: Locator) -> float:
    return box(of)["y"] + box(of)["height"]


@pytest.mark.parametrize("text", ["words", "card"])
def test_a_long_text_a_chat_and_what_is_below_stand_one_below_the_other(
    people: People, shared: Serve, text: str
):
    (person,) = people(1, shared(APP), text=text, device={"has_touch": True})
    ann = Participant(person.page)
    room, stage = ann.chat.loc, ann.page.locator(".labchat-stage")
    done = ann.page.locator(".labchat-done")
    foot = ann.page.get_by_role("button", name="Stop taking part")
    for name, size in SIZES.items():
        ann.page.set_viewport_size(size)
        stack = [ann.page.locator("#text"), stage, ann.page.locator(".labchat-composer"), done]
        if text == "words" or name != "desk":  # on a desk, cards share the window as Shiny says
            expect(stack[0]).to_be_visible()
            assert bottom(stack[0]) <= box(room)["y"], name
        ann.waits_until(lambda: bottom(done) <= bottom(room) + 1)
        for upper, lower in zip(stack[1:], stack[2:], strict=False):
            assert bottom(upper) <= box(lower)["y"] + 1, name
        assert bottom(room) <= box(foot)["y"], name
        least = 80 if size["height"] < 416 else 150
        assert box(stage)["height"] >= least, name
        assert ann.page.evaluate(_SIDEWAYS) <= 0, name
        foot.scroll_into_view_if_needed()
        expect(foot).to_be_in_viewport(ratio=0.98)


def test_with_little_text_all_of_it_is_in_sight(people: People, shared: Serve):
    (ann,) = people(1, shared(APP), times="1", device={"has_touch": True})
    for size in (SIZES["phone"], SIZES["desk"]):
        ann.page.set_viewport_size(size)
        for part in (ann.page.locator("#text"), ann.chat.loc_input, ann.chat.loc):
            expect(part).to_be_in_viewport(ratio=0.999)
        assert ann.page.evaluate("() => document.scrollingElement.scrollHeight") == size["height"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_button_that_cannot_be_pressed_yet_looks_so_and_says_why(
    people: People, shared: Serve, scheme: str
):
    (person,) = people(1, shared(APP), times="1", device={"color_scheme": scheme})
    ann = Participant(person.page)
    ann.stands("open")
    button = ann.page.get_by_role("button", name=DECIDED)
    sends = ann.chat.loc_input_button
    expect(button).to_be_disabled()
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_accessible_description(re.compile("2 more messages"))
    expect(button).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    expect(button).to_have_css("border-style", "dashed")
    said = contrasts(ann.chat.loc)
    assert {kind: ratio for kind, ratio in said.items() if ratio < ENOUGH} == {}
    ann.says("one", "two")
    expect(button).to_be_enabled()
    alive = sends.evaluate("element => getComputedStyle(element).backgroundColor")
    expect(button).to_have_css("background-color", alive)
    button.click()
    expect(ann.page.get_by_text("You are done here.")).to_be_visible()


_SIDEWAYS = "() => document.scrollingElement.scrollWidth - innerWidth"
