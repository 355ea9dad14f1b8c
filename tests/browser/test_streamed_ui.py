"""Developers' own HTML in an answer that grows: seen as it comes, and what people enter stays."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.browser._people import Person
from tests.browser.conftest import People

APP = "streamed_ui.py"


def answer(person: Person) -> Locator:
    return person.page.locator(".labchat-message[data-role=assistant]")


def shows(person: Person, words: str) -> None:
    expect(answer(person).locator(".labchat-content")).to_contain_text(words)


def entry(person: Person, label: str) -> Locator:
    return answer(person).get_by_label(label)


def test_html_that_never_pauses_is_shown_as_it_comes(people: People):
    (ann,) = people(1, APP)
    ann.says("open", "hurries")
    for words in ("w3", "w20"):
        shows(ann, words)
        expect(answer(ann)).to_have_attribute("aria-busy", "true")
    ann.says("ends")
    expect(answer(ann)).not_to_have_attribute("data-live", "")
    ann.reloads()
    shows(ann, "w20")


def test_what_is_entered_stays_when_more_comes(people: People):
    (ann,) = people(1, APP)
    ann.says("open", "input Name")
    entry(ann, "Name").fill("Ann")
    for order in ("tag next", "html <i>open", "html more</i>", "words and so on", "input Age"):
        ann.says(order)
        shows(ann, order.partition(" ")[2].strip("<>/i") if "input" not in order else "Age")
    expect(answer(ann).locator("i", has_text="openmore")).to_be_visible()
    expect(entry(ann, "Name")).to_have_value("Ann")
    entry(ann, "Age").fill("30")
    ann.says("ends")
    expect(answer(ann)).not_to_have_attribute("data-live", "")
    expect(entry(ann, "Name")).to_have_value("Ann")
    expect(entry(ann, "Age")).to_have_value("30")


def test_what_is_entered_stays_when_what_comes_after_it_is_replaced(people: People):
    ann, bob = everybody = people(2, APP)
    ann.says("open", "input Name", "words Loading: ", "from-here")
    for person in everybody:
        entry(person, "Name").fill("Somebody")
    for order in ("words 10 %", "tag a bar", "instead half \U0001f600", "instead done"):
        ann.says(order)
        for person in everybody:
            shows(person, order.partition(" ")[2])
    for person in everybody:
        expect(answer(person)).not_to_contain_text("half")
        expect(answer(person)).not_to_contain_text("a bar")
        expect(entry(person, "Name")).to_have_value("Somebody")
    bob.says("ends")
    for person in everybody:
        expect(answer(person)).not_to_have_attribute("data-live", "")
        expect(entry(person, "Name")).to_have_value("Somebody")
    ann.reloads()
    shows(ann, "Loading: done")
