"""A chat that is drawn anew while somebody writes stays as it is."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser._people import Person
from tests.browser.conftest import People

STATE = """(box) => ({
  text: box.value,
  caret: [box.selectionStart, box.selectionEnd],
  isFocused: document.activeElement === box,
  scroll: document.querySelector("[role=log]").scrollTop,
  isSame: box === window.box,
  sockets: performance.getEntriesByType("resource").length >= 0 && window.mark,
})"""


def writes(person: Person) -> dict[str, object]:
    """Say enough to scroll, scroll up, and write with the cursor inside of the text."""
    person.says(*(f"line {n}" for n in range(10)))
    person.sees("heard line 9")
    person.types("half a sentence")
    box = person.chat.loc_input
    box.evaluate("(box) => { window.box = box; box.setSelectionRange(3, 5); }")
    person.chat.loc_log.evaluate("(log) => log.scrollTo({ top: 40, behavior: 'instant' })")
    return box.evaluate(STATE)


def test_drawn_anew_around_it_the_chat_keeps_text_caret_and_scroll(people: People):
    ann, bob = people(2, "typing.py")
    before = writes(ann)
    ann.page.evaluate("() => document.getElementById('around').click()")
    expect(ann.page.locator("#above")).to_have_text("drawn 1")
    assert ann.chat.loc_input.evaluate(STATE) == before
    assert ann.page.evaluate("() => window.ran") == 1
    expect(ann.page.locator(".holder.at-1 > labchat-room")).to_have_count(1)
    ann.reads("below", "below: at 1")
    ann.page.locator("#beside").fill("changed")
    ann.reads("below", "below: changed")
    bob.says("still there")
    ann.sees("still there")
    ann.presses("End", "Enter")
    ann.sees("heard half a sentence")


def test_drawn_elsewhere_in_the_page_it_is_moved_there(people: People):
    (ann,) = people(1, "typing.py")
    before = writes(ann)
    for place in ("#deep .holder > labchat-room", ":not(#deep) > div > .holder > labchat-room"):
        ann.page.evaluate("() => document.getElementById('elsewhere').click()")
        expect(ann.page.locator(place)).to_have_count(1)
        assert ann.chat.loc_input.evaluate(STATE) == before
    expect(ann.page.locator("labchat-room")).to_have_count(1)
    ann.presses("End", "Enter")
    ann.sees("heard half a sentence")


def test_a_word_that_is_being_composed_is_not_doubled(people: People):
    (ann,) = people(1, "typing.py")
    box = ann.chat.loc_input
    box.focus()
    keyboard = ann.page.context.new_cdp_session(ann.page)
    compose = {"selectionStart": 2, "selectionEnd": 2}
    keyboard.send("Input.imeSetComposition", {"text": "にほ", **compose})
    ann.page.evaluate("() => document.getElementById('around').click()")
    expect(ann.page.locator("#above")).to_have_text("drawn 1")
    keyboard.send("Input.imeSetComposition", {"text": "日本", **compose})
    keyboard.send("Input.insertText", {"text": "日本"})
    expect(box).to_have_value("日本")


def test_a_chat_that_the_app_wants_otherwise_is_made_anew_and_keeps_the_text(people: People):
    (ann,) = people(1, "typing.py")
    ann.says("before")
    ann.types("half a sentence")
    ann.clicks("otherwise")
    expect(ann.chat.loc_input).to_have_attribute("placeholder", "Say it again, 1")
    expect(ann.chat.loc_input).to_have_value("half a sentence")
    ann.sees("before", "heard before")
