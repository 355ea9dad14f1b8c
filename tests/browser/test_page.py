"""How a chat fits into pages, themes, small screens and assistive technology."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People
from tests.support.server import ROOT


def test_at_320_pixels_nothing_is_cut_off(people: People):
    ann, bob = people(2)
    ann.page.set_viewport_size({"width": 320, "height": 568})
    bob.says("x" * 400, "https://example.org/" + "long-" * 60)
    ann.says("short")
    ann.sees("xxx")
    assert ann.page.evaluate("document.scrollingElement.scrollWidth <= 320")
    assert ann.chat.loc_log.evaluate("log => log.scrollWidth <= log.clientWidth")
    ann.chat.loc_input_button.scroll_into_view_if_needed()
    expect(ann.chat.loc_input).to_be_in_viewport(ratio=1)
    expect(ann.chat.loc_input_button).to_be_in_viewport(ratio=1)


def test_on_a_phone_the_box_is_in_sight_at_once(people: People):
    phone = {"has_touch": True, "is_mobile": True, "viewport": {"width": 390, "height": 664}}
    (ann,) = people(1, device=phone)
    (bob,) = people(1)
    for n in range(8):
        bob.says(f"{n}\n\n\nlines")
    ann.sees("7")
    expect(ann.chat.loc_input).to_be_in_viewport(ratio=1)
    expect(ann.chat.loc_message("7")).to_be_in_viewport()


WITH_A_LIST = str(ROOT / "apps" / "02-session-chat" / "app.py")
KEYBOARD = 180
"""The height that a phone held sideways leaves a page beside its keyboard."""


@pytest.mark.parametrize(
    ("app", "width", "height"),
    [
        ("room.py", 640, 360),
        (WITH_A_LIST, 844, 390),
        pytest.param("room.py", 844, 390, marks=pytest.mark.long),
        pytest.param(WITH_A_LIST, 640, 360, marks=pytest.mark.long),
    ],
)
def test_on_a_phone_held_sideways_the_box_and_the_newest_message_are_in_sight(
    people: People, app: str, width: int, height: int
):
    phone = {"has_touch": True, "is_mobile": True, "viewport": {"width": width, "height": height}}
    (ann,) = people(1, app, device=phone)
    (bob,) = people(1, app)
    bob.says("first", "a longer message of another person, with some words in it", "the last")
    for left in (height, KEYBOARD):
        ann.page.set_viewport_size({"width": width, "height": left})
        ann.chat.loc_input.tap()
        if left == KEYBOARD:  # a phone scrolls there when its keyboard opens
            ann.chat.loc_input_container.scroll_into_view_if_needed()
        expect(ann.chat.loc_input).to_be_in_viewport(ratio=1)
        expect(ann.chat.loc_input_button).to_be_in_viewport(ratio=1)
        expect(ann.chat.loc_message("the last").last).to_be_in_viewport(ratio=0.9)


def test_on_a_phone_held_sideways_the_box_is_in_sight_in_a_page_that_fills_nothing(people: People):
    phone = {"has_touch": True, "is_mobile": True, "viewport": {"width": 640, "height": 360}}
    (ann,), (bob,) = people(1, "plain.py", device=phone), people(1, "plain.py")
    bob.says(*(f"{n}\n\n\nlines" for n in range(8)))
    ann.sees("7")
    expect(ann.chat.loc_input).to_be_in_viewport(ratio=1)
    expect(ann.chat.loc_message("7")).to_be_in_viewport()


def test_on_a_phone_held_sideways_a_refusal_of_a_long_text_is_in_sight(people: People):
    (ann,) = people(1)
    ann.page.set_viewport_size({"width": 640, "height": 360})
    ann.tries("x" * 5_001)
    ann.is_told("too long")
    alert = ann.chat.loc.get_by_role("alert")
    for each in (ann.chat.loc_input, ann.chat.loc_input_button, alert):
        expect(each).to_be_in_viewport(ratio=1)


def test_the_chat_the_log_the_box_and_the_button_have_names(people: People):
    (ann,) = people(1)
    expect(ann.page.get_by_role("region", name="Chat")).to_have_count(1)
    expect(ann.chat.loc.get_by_role("log")).to_have_count(1)
    expect(ann.chat.loc_log).to_have_accessible_name("Messages")
    expect(ann.chat.loc_input).to_have_accessible_name("Enter a message...")
    expect(ann.chat.loc_input_button).to_have_accessible_name("Send")
    expect(ann.chat.loc_status).to_have_attribute("role", "status")


def test_a_refusal_is_an_alert_tied_to_the_box(people: People):
    (ann,) = people(1)
    ann.tries("x" * 5_001)
    expect(ann.chat.loc.get_by_role("alert")).to_contain_text("too long")
    expect(ann.chat.loc_input).to_have_attribute("aria-invalid", "true")
    expect(ann.chat.loc_input).to_have_accessible_description(
        re.compile("^The message is too long: 5,001 characters of at most 5,000")
    )
    ann.chat.set_user_input("shorter")
    expect(ann.chat.loc_input).not_to_have_attribute("aria-invalid", "true")


def test_the_old_is_not_read_out_and_the_new_is_politely(people: People):
    ann, bob = people(2)
    bob.says("hello")
    ann.reloads()
    ann.sees("hello")
    expect(ann.chat.loc_log).to_have_attribute("aria-live", "polite")


def test_all_is_reached_with_the_keyboard(people: People):
    (ann,) = people(1)
    ann.chat.loc_log.focus()
    expect(ann.chat.loc_log).to_be_focused()
    ann.page.keyboard.press("Tab")
    expect(ann.chat.loc_input).to_be_focused()
    ann.page.keyboard.type("by keys")
    ann.page.keyboard.press("Tab")
    expect(ann.chat.loc_input_button).to_be_focused()
    ann.page.keyboard.press("Enter")
    ann.sees("by keys", by=ann)


def test_ones_own_messages_say_so_in_words(people: People):
    ann, bob = people(2)
    ann.says("mine")
    expect(ann.chat.loc_latest_message).to_contain_text("You")
    bob.sees("mine")
    expect(bob.chat.loc_latest_message).not_to_contain_text("You")


def test_runs_of_one_author_are_grouped_and_days_separated(people: People):
    ann, bob = people(2)
    ann.says("one", "two")
    bob.says("three")
    ann.sees("three")
    continued = ann.chat.loc.locator(".labchat-message[data-continued]")
    expect(continued.locator(".labchat-content")).to_have_text(["two"])
    expect(ann.chat.loc.locator(".labchat-day")).to_have_text(["Today"])


def test_a_hidden_tab_counts_what_it_missed_in_its_title(people: People):
    ann, bob = people(2)
    ann.looks_away()
    bob.says("psst", "hello?")
    expect(ann.page).to_have_title("(2) A room")
    ann.looks_back()
    expect(ann.page).to_have_title("A room")


def test_the_room_fills_the_page_and_the_box_stays_in_sight(people: People):
    ann, bob = people(2)
    for n in range(8):
        bob.says(f"{n}\n\n\n\n\nlines")
    ann.sees("7")
    expect(ann.chat.loc_input).to_be_in_viewport(ratio=1)
    assert ann.page.evaluate("document.scrollingElement.scrollHeight <= innerHeight")
