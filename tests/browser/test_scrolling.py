"""Long rooms: the newest screen first, older ones on the way up, and never a jump."""

from __future__ import annotations

import asyncio

import pytest
from playwright.sync_api import expect

from shiny_labchat import Room
from shiny_labchat.live.window import SEARCHED
from tests.browser._organiser import Organiser
from tests.browser.conftest import People, Serve

LONG = [f"message {n}" for n in range(1, 501)]

PHONE = {"viewport": {"width": 360, "height": 640}}
UNCORRECTED = """addEventListener("DOMContentLoaded", () => {
  document.head.append(Object.assign(document.createElement("style"), {
    textContent: ".labchat-log { overflow-anchor: none !important }" }));
});"""
"""As in Safari, which puts nothing back that layout scrolls."""

_ASK_AFTER_A_KEY_HAS_BEGUN = """(log) => {
  const frame = () => new Promise(requestAnimationFrame);
  const settle = async () => {
    document.querySelector(".labchat-new").click();
    for (let frames = 60; frames; frames -= 1) await frame();  // longer than any key scrolls
  };
  window.isSettled = new Promise((resolve) =>
    log.addEventListener("scroll", () => resolve(settle()), { once: true }));
}"""


async def fill(room: Room, texts: list[str]) -> None:
    await room.create()
    await asyncio.gather(*(room.post(text) for text in texts))


@pytest.fixture
def the_room(shared: Serve, room: str, organiser: Organiser) -> Room:
    return organiser.room(shared("room.py"), room)


def test_older_messages_come_on_scrolling_up_without_gaps(
    people: People, the_room: Room, organiser: Organiser
):
    organiser.does(fill(the_room, LONG))
    (ann,) = people(1)
    ann.sees("message 500")
    ann.sees_no("message 1 ")
    assert len(ann.texts()) < 200
    assert ann.is_at_the_bottom()

    def scrolled_to_the_first() -> bool:
        ann.scrolls("top")
        return ann.texts()[0] == "message 1"

    ann.waits_until(scrolled_to_the_first)
    assert ann.texts() == LONG


def test_where_most_is_private_to_others_the_page_asks_on_until_it_has_all(
    people: People, the_room: Room, organiser: Organiser
):
    async def fill_privately() -> None:
        await fill(the_room, LONG[:70])
        await the_room.add_member("other")
        for _ in range(4):
            private = (the_room.post(f"{n}", audience=["other"]) for n in range(SEARCHED // 2))
            await asyncio.gather(*private)
        await the_room.post(LONG[70])

    organiser.does(fill_privately())
    (ann,) = people(1)
    ann.sees(LONG[70])
    ann.waits_until(lambda: len(ann.texts()) > 1)

    def scrolled_to_the_first() -> bool:
        ann.scrolls("top")
        return ann.texts()[0] == LONG[0]

    ann.waits_until(scrolled_to_the_first)
    assert ann.texts() == LONG[:71]
    expect(ann.page.locator(".labchat-loading")).to_be_hidden()


def test_what_is_read_does_not_move_when_older_messages_come(
    people: People, the_room: Room, organiser: Organiser
):
    organiser.does(fill(the_room, LONG[:150]))
    (ann,) = people(1)
    ann.sees("message 150")
    first = ann.texts()[0]
    ann.scrolls("top")
    ann.waits_until(lambda: ann.texts()[0] != first)
    expect(ann.chat.loc_message(first)).to_be_in_viewport()


def test_at_the_bottom_one_stays_there(people: People, the_room: Room, organiser: Organiser):
    organiser.does(fill(the_room, LONG[:60]))
    ann, bob = people(2)
    ann.sees("message 60")
    bob.says("a\nmessage\nof\nsome\nlines", "and one more")
    ann.sees("and one more")
    ann.waits_until(ann.is_at_the_bottom)
    expect(ann.chat.loc_new).to_be_hidden()


def test_at_the_bottom_one_stays_there_while_one_writes_some_lines(
    people: People, the_room: Room, organiser: Organiser
):
    """Shiny makes the box low for a moment, to measure it."""
    organiser.does(fill(the_room, LONG[:60]))
    (ann,) = people(1, device=PHONE, script=UNCORRECTED)
    ann.sees("message 60")
    ann.types("so many words that a narrow page breaks them into more than one or two lines")
    expect(ann.chat.loc_new).to_be_hidden()
    ann.waits_until(ann.is_at_the_bottom)
    organiser.does(the_room.post("news"))
    ann.sees("news")
    ann.waits_until(ann.is_at_the_bottom)


def test_who_scrolls_up_ever_so_slowly_leaves_the_bottom(
    people: People, the_room: Room, organiser: Organiser
):
    organiser.does(fill(the_room, LONG[:60]))
    (ann,) = people(1)
    ann.sees("message 60")

    def scrolled_away() -> bool:
        ann.scrolls("barely")
        return ann.chat.loc_new.is_visible()

    ann.waits_until(scrolled_away)
    organiser.does(the_room.post("news"))
    expect(ann.chat.loc_new).to_have_text("1 new message")
    assert not ann.is_at_the_bottom()


def test_who_reads_above_is_told_of_new_messages_and_led_to_them(
    people: People, the_room: Room, organiser: Organiser
):
    organiser.does(fill(the_room, LONG[:60]))
    ann, bob = people(2)
    ann.sees("message 60")
    ann.scrolls("up")
    ann.waits_until(lambda: not ann.is_at_the_bottom())
    bob.says("first news")
    expect(ann.chat.loc_new).to_have_text("1 new message")
    bob.says("more news")
    expect(ann.chat.loc_new).to_have_text("2 new messages")
    assert not ann.is_at_the_bottom()
    ann.chat.loc_new.click()
    ann.waits_until(ann.is_at_the_bottom)
    expect(ann.chat.loc_new).to_be_hidden()
    expect(ann.chat.loc_message("more news")).to_be_in_viewport()


def test_who_asks_for_the_newest_is_not_led_away_by_the_key_before(
    people: People, the_room: Room, organiser: Organiser
):
    organiser.does(fill(the_room, LONG[:60]))
    (ann,) = people(1)
    ann.sees("message 60")
    ann.scrolls("up")
    expect(ann.chat.loc_new).to_be_visible()
    ann.chat.loc_log.evaluate(_ASK_AFTER_A_KEY_HAS_BEGUN)
    ann.chat.loc_log.press("PageUp")
    ann.chat.loc_log.evaluate("() => window.isSettled")
    assert ann.is_at_the_bottom()
    expect(ann.chat.loc_new).to_be_hidden()


def test_ones_own_message_leads_to_the_bottom(people: People, the_room: Room, organiser: Organiser):
    organiser.does(fill(the_room, LONG[:60]))
    (ann,) = people(1)
    ann.sees("message 60")
    ann.scrolls("up")
    ann.says("down again")
    ann.waits_until(ann.is_at_the_bottom)


def test_a_very_long_message_is_folded(people: People):
    (ann,) = people(1)
    ann.chat.say("\n".join(f"line {n}" for n in range(60)))
    more = ann.chat.loc_latest_message.get_by_role("button", name="Show more")
    expect(more).to_have_attribute("aria-expanded", "false")
    folded = ann.chat.loc_latest_message.bounding_box()
    more.click()
    less = ann.chat.loc_latest_message.get_by_role("button", name="Show less")
    expect(less).to_have_attribute("aria-expanded", "true")
    unfolded = ann.chat.loc_latest_message.bounding_box()
    assert folded and unfolded and unfolded["height"] > folded["height"] * 1.5
