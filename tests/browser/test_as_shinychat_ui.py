"""What shinychat promises of inputs and outputs in messages holds in everybody's page."""

from __future__ import annotations

from playwright.sync_api import expect
from shiny.playwright import controller

from tests.browser.conftest import People


def test_inputs_in_the_pages_words_are_each_persons_own(people: People):
    ann, bob = people(2, "live_ui.py")
    for person in (ann, bob):
        expect(person.chat.loc).to_have_css("color", "rgb(41, 70, 91)")
        expect(person.chat.loc_greeting.first.locator("strong")).to_have_text("Choose")
        person.chat.expect_latest_message("Now a and False")
        person.reads("chosen", "chosen: a, False")
    controller.InputSelect(ann.page, "select").set("b")
    ann.chat.expect_latest_message("Now b and False")
    controller.InputSwitch(ann.page, "toggle").set(True)
    ann.chat.expect_latest_message("Now b and True")
    ann.reads("chosen", "chosen: b, True")
    bob.chat.expect_latest_message("Now a and False")
    bob.reads("chosen", "chosen: a, False")


def test_an_input_that_is_streamed_and_an_output_with_files_work_for_all(people: People):
    ann, bob = people(2, "live_ui.py")
    ann.clicks("insert")
    for person, number in ((ann, "42"), (bob, "7")):
        person.sees("Another one:")
        controller.InputNumeric(person.page, "number").set(number)
        stamp = person.finds(f"Stamp {number}")
        expect(stamp).to_have_css("border-color", "rgb(255, 0, 0)")
        stamp.click()
        expect(person.finds("Stamped")).to_be_visible()
    expect(ann.page.locator("#insert")).to_be_disabled()
    expect(bob.page.locator("#insert")).to_be_enabled()


def test_it_has_the_size_that_the_app_wants_however_much_is_said(people: People):
    (ann,) = people(1, "small.py")
    for text in ("one", "two", "three", "four"):
        ann.says(text)
    box = ann.chat.loc.bounding_box()
    assert box is not None and (box["width"], box["height"]) == (400, 200)
    expect(ann.chat.loc_input).to_be_in_viewport(ratio=1)
    assert ann.is_at_the_bottom()


def test_outputs_of_several_messages_wait_for_the_file_that_they_need(people: People):
    (ann,) = people(1, "outputs.py")
    for output in ("one", "two"):
        ann.says(output)
        ann.sees(output.upper(), by="Assistant")
    ann.reloads()
    ann.sees_only("one", "ONE", "two", "TWO")
