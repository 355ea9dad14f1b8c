"""What shinychat promises of streams, models and transforms holds while others look on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People, Serve
from tests.support.models.model import Model, Reply

# ── streams by hand, and results ──


def test_a_stream_inside_another_is_a_part_of_it(people: People):
    ann, bob = people(2, "nested.py")
    said: list[str] = []
    for button, words in (
        ("alone", "All alone"),
        ("replaced", "Better"),
        ("inside", "before inside still after"),
        ("inside_replaced", "before right after"),
        ("after_nothing", "inside after"),
        ("in_a_stream", "before found after"),
    ):
        ann.clicks(button)
        said.append(words)
        for person in (ann, bob):
            person.sees_only(*said)
            person.reads("said", " / ".join(said))
    bob.reloads()
    bob.sees_only(*said)


def test_what_a_stream_has_come_to_is_read_by_the_session_that_began_it(people: People):
    ann, bob = people(2, "nested.py")
    ann.reads("status", "initial")
    ann.clicks("in_a_stream")
    ann.reads("status", "success")
    ann.reads("result", "before found after")
    bob.sees("before found after")
    bob.reads("status", "initial")
    bob.reads("result", "")


def test_a_stream_that_breaks_has_an_error_for_its_session_alone(people: People):
    ann, bob = people(2, "nested.py")
    ann.clicks("broken")
    ann.reads("status", "error")
    ann.is_notified("the stream broke")
    expect(ann.page.locator("#result")).to_contain_text("the stream broke")
    bob.sees("so far")
    bob.reads("status", "initial")
    expect(bob.notifications()).to_have_count(0)


# ── modules, and a model that is stopped ──


def test_in_a_module_a_handler_asks_what_was_said_and_a_model_is_stopped(
    people: People, serve: Serve, monkeypatch: pytest.MonkeyPatch
):
    with Model() as model:
        monkeypatch.setenv("MODEL_URL", model.url)
        ann, bob = people(2, serve("modules.py"), chat="echo-chat")
        ann.says("who is it")
        bob.sees("You said: who is it")
        ann, bob = ann.at("model-chat"), bob.at("model-chat")
        bob.sees_no("who is it")
        model.will(Reply("alpha beta gamma", pieces=3, hold=2), Reply("delta"))
        ann.says("begin")
        for person in (ann, bob):
            person.sees("alpha beta")
        expect(bob.chat.loc_stop_button()).to_have_count(0)
        ann.chat.stop_answer()
        for person in (ann, bob):
            expect(person.chat.loc_latest_message.locator(".labchat-ending")).to_have_text(
                "Stopped."
            )
        model.until(lambda: model.calls[0].outcome == "left")
        bob.says("go on")
        for person in (ann, bob):
            person.sees_only("begin", "alpha beta", "go on", "delta")


# ── what a model did ──


def test_a_tools_result_that_the_app_draws_stands_for_the_whole_call(people: People):
    ann, bob = people(2, "streams.py")
    ann.says("open Oracle", "Oracle says Let me look.", "Oracle asks")
    expect(bob.chat.loc_log.locator("details")).to_have_attribute("data-status", "pending")
    ann.says("Oracle draws 18 °C", "Oracle ends")
    (carl,) = people(1, "streams.py")
    for person in (ann, bob, carl):
        expect(person.chat.loc_log.locator("p.drawn > b")).to_have_text("18 °C")
        expect(person.chat.loc_log.locator("details, [aria-busy=true]")).to_have_count(0)


def test_what_a_model_found_in_the_web_is_a_list_of_links(people: People):
    ann, bob = people(2, "streams.py")
    hubs, motors = "https://one.invalid/hubs", "https://two.invalid/motors"
    ann.says("open Oracle", "Oracle searches e-bikes", f"Oracle finds {hubs} {motors}")
    ann.says("Oracle says Hubs are cheap", f"Oracle cites {hubs}", "Oracle says , they say.")
    ann.says("Oracle ends")
    (carl,) = people(1, "streams.py")
    for person in (ann, bob, carl):
        person.sees(re.compile("Hubs are cheap.*, they say", re.DOTALL))
        found = person.chat.loc_log.locator("details")
        expect(found).to_have_count(1)
        found.locator("summary").click()
        expect(found.get_by_role("link")).to_have_text(["Hubs", "Motors"])
        expect(found.get_by_role("link", name="Motors")).to_have_attribute("href", motors)


# ── what is made of it ──


def test_what_is_appended_is_shown_as_the_app_makes_it(people: People):
    ann, bob = people(2, "retold.py")
    ann.says("hello")
    ann.sees("Made of hello")
    ann.says("as html")
    for person in (ann, bob):
        person.sees_only("hello", "Made of hello", "as html", "made of as html")
        made = person.chat.loc_message("Made of hello")
        expect(made.locator("code")).to_have_text("hello")
        expect(person.chat.loc_latest_message.locator("b.made")).to_have_text("made")
        person.reads(
            "appended", "user: hello / assistant: hello / user: as html / assistant: as html"
        )
        person.reads(
            "shown",
            "user: hello / assistant: Made of `hello` / user: as html / "
            "assistant: <b class='made'>made</b> of as html",
        )


def test_a_stream_is_shown_as_the_app_makes_it_to_its_end(people: People):
    ann, bob = people(2, "retold.py", grows="yes")
    ann.says("Once |upon |a time.")
    for person in (ann, bob):
        person.sees("Once upon a time. The end.", by="Assistant")
        person.reads("appended", "user: Once |upon |a time. / assistant: Once upon a time.")
        person.reads("shown", "user: Once |upon |a time. / assistant: Once upon a time. The end.")
