"""Greetings, what sends, who may stop an answer, and words that an app changes or drops."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser._organiser import Organiser
from tests.browser.conftest import People, Serve

APP = "options.py"


def test_each_is_greeted_until_they_have_said_something(people: People):
    ann, bob = people(2, APP)
    for person in (ann, bob):
        person.chat.expect_greeting("Welcome")
    ann.says("hello")
    expect(ann.chat.loc_greeting).to_be_hidden()
    bob.sees("hello")
    expect(bob.chat.loc_greeting).to_be_visible()
    ann.clicks("clear")
    expect(ann.chat.loc_greeting).to_be_visible()
    ann.clicks("all")
    expect(ann.chat.loc_greeting).to_have_count(0)
    expect(bob.chat.loc_greeting).to_be_visible()
    ann.reloads()
    ann.chat.expect_greeting("Welcome")


def test_a_greeting_may_offer_what_to_say(people: People):
    ann, bob = people(2, APP)
    ann.finds("Where am I?").click()
    ann.chat.expect_user_input("Where am I?")
    ann.presses("Enter")
    expect(ann.chat.loc_greeting).to_be_hidden()
    bob.sees("Where am I?", by=ann)
    expect(bob.chat.loc_greeting).to_be_visible()


def test_a_persistent_greeting_stays(people: People):
    (ann,) = people(1, APP, stays="yes")
    ann.says("hello")
    expect(ann.chat.loc_greeting).to_be_visible()
    ann.chat.expect_greeting("Stay a while")


def test_the_app_greets_anew_and_not_at_all(
    people: People, shared: Serve, room: str, organiser: Organiser
):
    ann, bob = people(2, APP, server="yes")
    for person in (ann, bob):
        person.chat.expect_greeting("From the server")
        expect(person.chat.loc_greeting.locator("em")).to_have_text("server")
    ann.clicks("greet")
    ann.chat.expect_greeting("Good day")
    expect(ann.chat.loc_greeting).to_have_count(1)
    expect(ann.chat.loc_greeting.locator("b")).to_have_text("Good day")
    bob.says("words")
    ann.sees("words")
    order = ann.chat.loc_message_items.locator(".labchat-content")
    expect(order).to_have_text(["Good day", "words"])
    ann.clicks("ungreet")
    expect(ann.chat.loc_greeting).to_have_count(0)
    bob.chat.expect_greeting("From the server")
    logged = organiser.does(organiser.room(shared(APP), room).messages())
    assert [message.content for message in logged] == ["words"]


def test_enter_may_break_the_line_and_a_modifier_send(people: People):
    ann, bob = people(2, APP, key="enter+modifier")
    ann.types("one")
    ann.presses("Enter")
    ann.types("two")
    assert ann.draft == "one\ntwo"
    ann.presses("Control+Enter")
    bob.sees("one\ntwo", by=ann)


def test_there_is_a_button_to_stop_an_answer_unless_the_app_wants_none(people: People):
    ann, bob = people(2, APP)
    (carl,) = people(1, APP, unstoppable="yes")
    ann.says("go")
    for person in (ann, bob, carl):
        person.sees("on and ")
    expect(ann.chat.loc_stop_button("on and ")).to_have_count(1)
    for person in (bob, carl):
        expect(person.chat.loc_latest_message.get_by_role("button")).to_have_count(0)
    ann.chat.stop_answer()
    expect(carl.chat.loc_latest_message.locator(".labchat-ending")).to_have_text("Stopped.")
    carl.says("go")
    bob.sees("on and ")
    expect(carl.chat.loc_latest_message).to_have_attribute("aria-busy", "true")
    expect(carl.chat.loc_latest_message.get_by_role("button")).to_have_count(0)


def test_programmes_have_the_apps_icon(people: People):
    ann, bob = people(2, APP)
    ann.says("go")
    expect(bob.chat.loc_latest_message.locator(".labchat-avatar .my-robot")).to_have_text("R")


def test_people_see_what_was_written_and_get_back_what_cannot_be_transformed(people: People):
    ann, bob = people(2, APP)
    ann.tries("it is broken")
    ann.is_told("This message could not be processed.")
    ann.chat.expect_user_input("it is broken")
    ann.chat.set_user_input("")
    ann.says("damn it", "what the heck")
    for person in (ann, bob):
        person.sees("damn it", "what the heck", by=ann)
        person.sees_no("broken")
        person.sees_no("h***")
    ann.reloads()
    ann.sees("what the heck")
