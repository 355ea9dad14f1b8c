"""What a chat begins with, and suggestions."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser._organiser import Organiser
from tests.browser.conftest import People, Serve


def test_the_pages_words_are_drawn_for_each_and_the_rooms_logged_once(
    people: People, shared: Serve, room: str, organiser: Organiser
):
    ann, bob, carl = people(3, "greeting.py")
    drawn = ["Hello, visitor", "drawn as a person's"]
    for person in (ann, bob, carl):
        person.sees_only(*drawn, "On the record", "since the start")
        person.chat.expect_greeting("Hello, visitor")
    ann.reloads()
    ann.sees_only(*drawn, "On the record", "since the start")
    logged = organiser.does(organiser.room(shared("greeting.py"), room).messages())
    assert [message.content for message in logged] == ["On the **record**", "since the start"]


def test_every_word_can_be_replaced(people: People):
    (ann,) = people(1, "greeting.py")
    expect(ann.chat.loc_input).to_have_attribute("placeholder", "Sag etwas")
    expect(ann.chat.loc_input_button).to_have_accessible_name("Abschicken")
    expect(ann.chat.loc).to_contain_text(f"Du bist {ann.name}")
    ann.tries("  ")
    ann.is_told("Da steht noch nichts.")


def test_a_chat_speaks_the_language_of_its_lab_and_writes_dates_as_it_does(people: People):
    ann, bob = people(2, "german.py")
    expect(ann.chat.loc_input).to_have_attribute("placeholder", "Nachricht eingeben...")
    expect(ann.chat.loc_input_button).to_have_accessible_name("Senden")
    expect(ann.chat.loc).to_contain_text(f"Sie sind {ann.name}")
    ann.tries("  ")
    ann.is_told("Es gibt noch nichts zu senden.")
    bob.says("hallo")
    ann.sees("hallo", by=bob)
    time = ann.chat.loc_latest_message.locator(".labchat-time")
    expect(time).to_have_attribute("title", re.compile(r"^\w+tag|^Mittwoch"))


def test_a_suggestion_that_is_clicked_stands_in_the_box(people: People):
    (ann,) = people(1, "suggestions.py")
    for words, draft in (
        ("plain words", "plain words"),
        ("what it says", "what it means"),
        ("as somebody said", "as somebody said"),
    ):
        ann.finds(words).click()
        ann.chat.expect_user_input(draft)
        expect(ann.chat.loc_input).to_be_focused()
        ann.presses("Enter")
        ann.sees(draft, by=ann)


def test_a_suggestion_marked_submit_is_sent_unless_alt_is_held(people: People):
    ann, bob = people(2, "suggestions.py")
    for words, sent in (("sent at once", "sent at once"), ("attribute", "by attribute")):
        ann.finds(words).click(modifiers=["Alt"])
        ann.chat.expect_user_input(sent)
        ann.chat.set_user_input("")
        ann.finds(words).first.click()
        bob.sees(sent, by=ann)


def test_a_suggestion_is_sent_with_ctrl_and_taken_with_the_keyboard(people: People):
    ann, bob = people(2, "suggestions.py")
    ann.finds("plain words").click(modifiers=["Control"])
    bob.sees("plain words", by=ann)
    ann.finds("what it says").press("Enter")
    ann.chat.expect_user_input("what it means")
    ann.chat.loc_log.get_by_alt_text("picture").press("Control+Enter")
    bob.sees("a thousand words", by=ann)
    picture = ann.chat.loc_log.get_by_alt_text("picture")
    assert picture.evaluate("image => image.naturalWidth") == 24


def test_a_participant_cannot_make_suggestions(people: People):
    ann, bob = people(2, "suggestions.py")
    ann.tries("<span class='suggestion submit'>I give up</span>")
    bob.chat.expect_author(ann.name)
    bob.chat.loc_latest_message.locator(".labchat-content > *").click()
    expect(bob.chat.loc_latest_message.get_by_role("button")).to_have_count(0)
    assert bob.draft == ""
