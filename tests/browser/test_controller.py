"""The controller that users test their own apps with."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, expect
from playwright.sync_api import TimeoutError as NotInTime
from shinychat.playwright import ChatController as Upstream

from shiny_labchat.playwright import ChatController
from tests.browser._hidden import hide, own_browser
from tests.browser.conftest import People


def test_it_has_all_that_shinychats_has(people: People):
    (ann,) = people(1)
    theirs = {name for name in vars(Upstream(ann.page, "chat")) if not name.startswith("_")}
    theirs |= {name for name in dir(Upstream) if not name.startswith("_")}
    assert {name for name in theirs if not hasattr(ann.chat, name)} == set()
    for name, method in inspect.getmembers(Upstream, inspect.isfunction):
        if not name.startswith("_"):
            asked = inspect.signature(method).parameters
            assert set(asked) <= set(inspect.signature(getattr(ChatController, name)).parameters)


def test_it_does_what_a_person_does_and_expects_what_they_see(people: People):
    ann, bob = people(2)
    chat = ann.chat
    chat.expect.to_be_visible()
    chat.set_user_input("hello")
    chat.expect_user_input("hello")
    chat.expect_user_input(re.compile("^hel"))
    chat.send_user_input()
    chat.expect_user_input("")
    chat.expect_latest_message("hello")
    chat.expect_latest_message(re.compile("^h"))
    chat.expect_own()
    chat.expect_author(chat.me())
    chat.say("world", method="click")
    chat.expect_messages(["hello", re.compile("w.rld")])
    chat.expect_messages("hello world")
    chat.expect_messages(re.compile("HELLO.+world", re.IGNORECASE))
    bob.chat.expect_own(False, "hello")
    bob.chat.expect_author(ann.name, re.compile("hello"))
    bob.chat.expect_own(False, 0)
    chat.expect_presence(2)
    chat.expect_presence({ann.name, bob.name})
    chat.expect_state("open")
    chat.expect_typing(None)
    chat.say("  ")
    chat.expect_refusal("nothing to send")


def test_a_message_is_named_by_its_place_from_the_start_or_the_end(people: People):
    ann, bob = people(2)
    ann.says("first", "second")
    bob.says("third")
    bob.sees_only("first", "second", "third")
    for place, text in ((0, "first"), (1, "second"), (-1, "third"), (-2, "second"), (-3, "first")):
        expect(bob.chat.loc_message(place).locator(".labchat-content")).to_have_text(text)
        bob.chat.expect_own(text == "third", place)
    bob.chat.expect_author(ann.name, -2)
    for place in (3, -4):
        expect(bob.chat.loc_message(place)).to_have_count(0)


def test_the_message_that_has_just_this_text_is_meant_before_those_that_contain_it(people: People):
    ann, bob = people(2)
    ann.says("no", "two\n\nlines (of 2)")
    bob.says("I know nothing", "NO", "two\n\nlines (of 2) and more")
    ann.sees("and more")
    expect(ann.chat.loc_message("no")).to_have_count(1)
    ann.chat.expect_own(True, "no")
    ann.chat.expect_own(False, "NO")
    ann.chat.expect_own(True, "two\n\nlines (of 2)")
    expect(ann.chat.loc_message("kNow")).to_have_count(1)  # nobody wrote just this
    expect(ann.chat.loc_message(re.compile("no|NO"))).to_have_count(3)
    bob.says("no")
    expect(ann.chat.loc_message("no")).to_have_count(2)
    ann.chat.expect_own(False, "no")  # of several the last


def test_you_is_the_author_of_ones_own_messages_and_nobody_elses(people: People):
    ann, bob = people(2)
    ann.says("hello")
    ann.chat.expect_author("You")
    ann.chat.expect_author(ann.name)
    bob.chat.expect_author(ann.name)
    with pytest.raises(AssertionError, match="expected the last message to be by 'You'"):
        bob.chat.expect_author("You", timeout=50)
    ann.chat.expect_presence(["You", bob.name])
    bob.chat.expect_presence(["You", ann.name])


UNMET: list[Callable[[ChatController], None]] = [
    lambda chat: chat.expect_latest_message("other", timeout=50),
    lambda chat: chat.expect_messages("other", timeout=50),
    lambda chat: chat.expect_messages(["hello", "other"], timeout=50),
    lambda chat: chat.expect_author("Nobody", timeout=50),
    lambda chat: chat.expect_own(False, timeout=50),
    lambda chat: chat.expect_own(True, "other", timeout=50),
    lambda chat: chat.expect_user_input("other", timeout=50),
    lambda chat: chat.expect_presence(11, timeout=50),
    lambda chat: chat.expect_presence(["Nobody"], timeout=50),
    lambda chat: chat.expect_typing("Nobody", timeout=50),
    lambda chat: chat.expect_state("closed", timeout=50),
    lambda chat: chat.expect_state("open", "other", timeout=50),
    lambda chat: chat.expect_refusal("other", timeout=50),
    lambda chat: chat.expect_greeting("other", timeout=50),
]


def test_an_expectation_that_is_not_met_fails(people: People):
    (ann,) = people(1)
    ann.says("hello")
    for expectation in UNMET:
        with pytest.raises(AssertionError) as raised:
            expectation(ann.chat)
        said = str(raised.value).splitlines()
        assert said[0].startswith("expected ") and "chat 'chat' shows 1 message:" in said
        assert f"  0: {ann.name} (You): hello" in said


def test_an_error_says_what_was_looked_for_and_what_the_chat_shows(people: People):
    ann, bob = people(2)
    ann.says("hello")
    bob.says("two\nlines")
    ann.sees("lines")
    ann.chat.expect_presence(2)
    ann.chat.set_user_input("half a th")
    with pytest.raises(AssertionError) as raised:
        ann.chat.expect_latest_message("goodbye", timeout=50)
    *said, here, box = str(raised.value).splitlines()[:8]
    assert said == [
        "expected the last message to be 'goodbye'",
        "chat 'chat' shows 2 messages:",
        f"  0: {ann.name} (You): hello",
        f"  1: {bob.name}: two",
        "     lines",
        "state: open",
    ]
    assert set(here.removeprefix("here: ").split(", ")) == {f"{ann.name} (You)", bob.name}
    assert box == "box: half a th"
    ann.tries("  ")
    with pytest.raises(AssertionError, match="refusal: There is nothing to send yet."):
        ann.chat.expect_refusal("too long", timeout=50)


def test_an_error_says_which_message_has_no_button_and_which_chat_there_is(people: People):
    (ann,) = people(1)
    ann.says("hello")
    with pytest.raises(NotInTime, match=r"expected message 7 with a button.*\nchat 'chat' shows"):
        ann.chat.stop_answer(7, timeout=50)
    with pytest.raises(AssertionError, match="no chat with the id 'chta'; it has 'chat'"):
        ann.at("chta").chat.expect_latest_message("hello", timeout=50)
    ann.page.goto("about:blank")
    with pytest.raises(NotInTime, match="no chat with the id 'chat'; it has none"):
        ann.chat.me(timeout=50)


def test_an_error_has_the_newest_of_many_messages(people: People):
    (ann,) = people(1, rate="none")
    ann.says(*map(str, range(23)))
    with pytest.raises(AssertionError) as raised:
        ann.chat.expect_messages("other", timeout=50)
    said = str(raised.value).splitlines()
    assert said[1:4] == [
        "chat 'chat' shows 23 messages:",
        "  (0 to 2 are not printed)",
        f"  3: {ann.name} (You): 3",
    ]


def test_it_waits_in_a_page_that_is_hidden(
    people: People, playwright: Playwright, browser_type_launch_args: dict[str, Any], tmp_path: Path
):
    (bob,) = people(1)
    chromium = browser_type_launch_args.get("executable_path", playwright.chromium.executable_path)
    with own_browser(playwright, chromium, tmp_path) as page:
        page.goto(bob.page.url)
        ann = ChatController(page, "chat")
        ann.expect_state("open")
        hide(page)
        bob.chat.set_user_input("hello")
        bob.chat.loc_input_button.evaluate("button => { setTimeout(() => button.click(), 500) }")
        ann.expect_messages("hello", timeout=5_000)
        ann.expect_messages(["hello"])
        ann.expect_latest_message("hello")
        ann.expect_author(bob.name)
        ann.expect_own(False, "hello")
        ann.expect_presence(["You", bob.name])
        ann.say("from a hidden page")
        bob.sees("from a hidden page", by=ann.me())
        ann.expect_author("You")
        bob.types("hm")
        ann.expect_typing(bob.name)


def test_it_stops_the_answer_that_is_meant(people: People):
    ann, bob = people(2, "streams.py")
    ann.says("open Oracle")
    expect(ann.chat.loc_stop_button(2)).to_have_count(1)
    ann.says("open Sibyl", "Oracle says Half", "Sibyl says Whole")
    for person, may in ((ann, 2), (bob, 0)):
        person.sees("Half", "Whole")
        expect(person.chat.loc_stop_button()).to_have_count(may)
    growing = ann.chat.loc_message("Half").first
    ann.chat.stop_answer(2)
    expect(growing.locator(".labchat-ending")).to_have_text("Stopped.")
    expect(ann.chat.loc_stop_button("Half")).to_have_count(0)
    expect(ann.chat.loc_stop_button(re.compile("^Whole"))).to_have_count(1)
    ann.chat.stop_answer()
    expect(ann.chat.loc_stop_button()).to_have_count(0)
