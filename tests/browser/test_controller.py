"""The controller that users test their own apps with."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from shinychat.playwright import ChatController as Upstream

from shiny_labchat.playwright import ChatController
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
    number = int(chat.loc_message("hello").get_attribute("data-seq") or 0)
    bob.chat.expect_own(False, number)
    chat.expect_presence(2)
    chat.expect_presence({ann.name, bob.name})
    chat.expect_state("open")
    chat.expect_typing(None)
    chat.say("  ")
    chat.expect_refusal("nothing to send")


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
        with pytest.raises(AssertionError):
            expectation(ann.chat)


def test_it_stops_the_answer_that_is_meant(people: People):
    ann, bob = people(2, "streams.py")
    ann.says("open Oracle", "open Sibyl", "Oracle says Half", "Sibyl says Whole")
    for person, may in ((ann, 2), (bob, 0)):
        person.sees("Half", "Whole")
        expect(person.chat.loc_stop_button()).to_have_count(may)
    growing = ann.chat.loc_message("Half").first
    ann.chat.stop_answer(int(growing.get_attribute("data-seq") or 0))
    expect(growing.locator(".labchat-ending")).to_have_text("Stopped.")
    expect(ann.chat.loc_stop_button("Half")).to_have_count(0)
    expect(ann.chat.loc_stop_button(re.compile("^Whole"))).to_have_count(1)
    ann.chat.stop_answer()
    expect(ann.chat.loc_stop_button()).to_have_count(0)
