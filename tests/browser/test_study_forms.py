"""A form keeps what is filled in, says what is missing, and sends it once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from shiny.playwright import controller

from tests.browser._axe import faults
from tests.browser._people import Person
from tests.browser.conftest import People

APP = "study_pages.py"
Record = dict[str, Any]


class Form:
    """A form in a page of the app, and what its server has stored."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.page: Page = person.page
        self.why: Locator = self.page.get_by_label("What did you agree on, and why?")
        self.submit: Locator = self.page.get_by_role("button", name="Finish")
        self.alert: Locator = self.page.locator("labchat-form").get_by_role("alert")
        expect(self.page.locator("labchat-form .shiny-bound-input").first).to_be_attached()

    def stored(self, n: int) -> list[Record]:
        """Wait for so many records, and give them."""
        records = self.page.locator("#records")
        self.person.waits_until(lambda: len(_read(records)) >= n)
        assert len(found := _read(records)) == n
        return found

    def draws_anew(self, how: str = "redraw") -> None:
        self.page.evaluate(f"() => document.getElementById('{how}').click()")


def _read(records: Locator) -> list[Record]:
    return json.loads(records.text_content() or "[]")


@pytest.fixture
def form(people: People) -> Form:
    return Form(people(1, APP, settled=False, show="form")[0])


def test_what_is_missing_is_marked_and_nothing_is_sent(form: Form) -> None:
    form.submit.click()
    expect(form.alert).to_have_text("2 answers are missing. They are marked.")
    expect(form.why).to_be_focused()
    expect(form.why).to_have_attribute("aria-invalid", "true")
    expect(form.why).to_have_accessible_description("Please answer this.")
    assert faults(form.person) == set()
    form.why.fill("Oxfam")
    expect(form.why).not_to_have_attribute("aria-invalid", "true")
    form.submit.click()
    expect(form.alert).to_have_text("1 answer is missing. It is marked.")
    expect(form.page.get_by_label("Apples")).to_be_focused()
    form.page.keyboard.press("Space")
    expect(form.alert).to_be_empty()
    form.page.keyboard.press("Tab")
    form.page.keyboard.press("Enter")
    (record,) = form.stored(1)
    assert (record["why"], record["who"]) == ("Oxfam", "a")


def test_a_double_click_sends_once_what_was_typed_just_before(form: Form) -> None:
    form.page.get_by_label("Bananas").check()
    form.why.fill("now")
    form.submit.dblclick()
    (record,) = form.stored(1)
    assert record["why"] == "now"
    sent = record["sent"]
    assert sent["shown"] <= sent["changed"] <= sent["sent"]


def test_drawn_anew_while_somebody_writes_it_stays_as_it_is(form: Form) -> None:
    form.why.press_sequentially("half a sentence")
    form.why.evaluate("box => { window.box = box; box.setSelectionRange(3, 5); }")
    form.draws_anew()
    expect(form.page.locator(".holder.at-1 > labchat-form")).to_have_count(1)
    state = form.why.evaluate(
        "box => [box === window.box, box.value, box.selectionStart, document.activeElement === box]"
    )
    assert state == [True, "half a sentence", 3, True]


def test_with_other_inputs_it_is_made_anew_and_filled_in_again(form: Form) -> None:
    form.page.get_by_label("Cherries").check()
    form.why.fill("half a sentence")
    form.draws_anew("more")
    expect(form.page.get_by_label("Anything else?")).to_be_visible()
    expect(form.why).to_have_value("half a sentence")
    expect(form.page.get_by_label("Cherries")).to_be_checked()
    form.page.get_by_label("Anything else?").fill("no")
    form.submit.click()
    (record,) = form.stored(1)
    assert (record["why"], record["who"]) == ("half a sentence", "c")


def test_a_reload_keeps_inputs_of_every_kind_and_the_times(people: People) -> None:
    form = Form(people(1, APP, settled=False, show="form", form="all")[0])
    _fill_all(form)
    form.page.reload()
    form = Form(form.person)
    expect(form.why).to_have_value("because")
    form.submit.click()
    (record,) = form.stored(1)
    sent = record.pop("sent")
    assert record == {
        "why": "because", "who": "b", "town": "Bonn", "age": 31, "fruit": "c",
        "fruits": ["a", "c"], "sure": True, "again": True, "which": ["b"], "trust": 8,
        "between": [3, 8], "day": "2026-11-05", "days": ["2026-11-06", "2026-11-07"],
    }  # fmt: skip
    loaded = form.page.evaluate("() => performance.timeOrigin")
    assert sent["shown"] < loaded < sent["sent"] and sent["changed"] < loaded


def _fill_all(form: Form) -> None:
    page = form.page
    form.why.fill("because")
    page.get_by_label("Bananas").first.check()
    page.get_by_label("Town").fill("Bonn")
    page.get_by_label("Age").fill("31")
    page.locator("#fruit").select_option("c")
    page.evaluate("() => document.getElementById('fruits').selectize.setValue(['a', 'c'])")
    page.get_by_label("I am sure").check()
    page.get_by_label("I would do it again").check()
    page.locator("#which").get_by_label("Bananas").check()
    page.evaluate("() => $('#trust').data('ionRangeSlider').update({ from: 8 })")
    page.evaluate("() => $('#between').data('ionRangeSlider').update({ from: 3, to: 8 })")
    controller.InputDate(page, "day").set("2026-11-05")
    controller.InputDateRange(page, "days").set(("2026-11-06", "2026-11-07"))


def test_nobody_gets_what_another_one_has_filled_in(form: Form) -> None:
    form.why.fill("secret")
    form.page.goto(form.page.url.replace("room=", "room=another-"))
    other = Form(form.person)
    expect(other.why).to_have_value("")


def test_after_it_is_stored_nothing_is_kept(form: Form) -> None:
    form.page.get_by_label("Bananas").check()
    form.why.fill("now")
    form.submit.click()
    form.stored(1)
    expect(form.submit).not_to_have_attribute("aria-disabled", "true")
    form.why.evaluate("box => box.dispatchEvent(new Event('change', { bubbles: true }))")
    form.page.reload()
    form = Form(form.person)
    expect(form.page.locator(".shiny-busy")).to_have_count(0)
    expect(form.why).to_have_value("")


def test_what_is_not_stored_is_said_and_sent_again_with_its_id(people: People) -> None:
    form = Form(people(1, APP, settled=False, show="form", silent="1")[0])
    form.page.get_by_label("Bananas").check()
    form.why.fill("now")
    form.submit.click()
    form.stored(1)
    expect(form.alert).to_have_text(
        "Your answers are kept on this page, but they are not stored yet. Please try again in a "
        "moment."
    )
    form.submit.click()
    form.stored(1)
    form.why.fill("later")
    expect(form.submit).not_to_have_attribute("aria-disabled", "true")
    form.submit.click()
    assert [record["why"] for record in form.stored(2)] == ["now", "later"]


def test_what_is_sent_without_a_session_is_stored_once_there_is_one(form: Form) -> None:
    form.page.get_by_label("Bananas").check()
    form.why.fill("now")
    form.page.evaluate("() => Shiny.shinyapp.$socket.close()")
    expect(form.page.locator("#shiny-reconnect-text")).to_be_visible()
    form.submit.click()
    (record,) = form.stored(1)
    assert (record["why"], record["who"]) == ("now", "b")
    expect(form.submit).not_to_have_attribute("aria-disabled", "true")
    expect(form.why).to_have_value("now")
