"""Which answers a form needs, by the app's word: the page asks for them, and the server insists."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser._axe import faults
from tests.browser._organiser import Organiser
from tests.browser._participants import Participant
from tests.browser._server_state import ServerState
from tests.browser.conftest import People, Serve
from tests.support.workers import Served

APP = "questions.py"
FORM = "labchat_form_questions_first"
UNTOUCHED = "Please choose, also if it is to stay as it is."
REFUSED = "Some answers are missing. Please answer all questions, and send it again."


@pytest.fixture
def app(serve: Serve) -> Served:
    return serve(APP)


@pytest.fixture
def ann(people: People, app: Served) -> Participant:
    (person,) = people(1, app, settled=False)
    expect(person.page.get_by_label("Why?")).to_be_visible()
    expect(person.page.locator(".shiny-bound-input#trust")).to_be_attached()
    return Participant(person.page)


def recorded(ann: Participant, answers: str) -> None:
    expect(ann.page.locator("#recorded")).to_have_text(answers)


def test_what_begins_with_a_value_is_asked_for_until_it_was_used(ann: Participant) -> None:
    alert = ann.page.get_by_role("alert")
    ann.presses_button("Continue")
    expect(alert).to_have_text("3 answers are missing. They are marked.")
    expect(ann.page.get_by_text(UNTOUCHED)).to_have_count(2)
    assert faults(ann) == set()
    ann.fills("Why?", "so")
    ann.page.get_by_text("How much do you trust groups?").click()  # the question is no answer
    ann.presses_button("Continue")
    expect(alert).to_have_text("2 answers are missing. They are marked.")
    line = ann.page.locator(".shiny-input-container:has(#trust) .irs-line")
    line.press("ArrowRight")
    ann.page.get_by_label("X", exact=True).click()  # what was chosen already is confirmed
    expect(alert).to_be_empty()
    ann.presses_button("Continue")
    recorded(ann, "why: so, more: , trust: 6, who: X")


def test_what_was_used_is_known_after_a_reload(ann: Participant) -> None:
    ann.confirms("trust")
    ann.fills("Why?", "so")
    ann.page.get_by_label("Y", exact=True).check()
    ann.page.reload()
    ann.holds("Why?", "so")
    expect(ann.page.get_by_label("Y", exact=True)).to_be_checked()
    ann.presses_button("Continue")
    recorded(ann, "why: so, more: , trust: 5, who: Y")


@pytest.mark.parametrize(
    ("used", "why"),
    [([], "so"), (["trust"], "so"), (["trust", "who"], ""), (None, "so"), ("trust who", "so")],
)
def test_a_form_that_a_script_sends_without_its_answers_is_refused(
    ann: Participant, app: Served, organiser: Organiser, used: object, why: str
) -> None:
    state = ServerState(app, "questions", organiser)
    (id,) = state.people()
    before = state.done(id)
    ann.fills("Why?", why)
    ann.page.evaluate(_SEND, [FORM, {"cid": "forged", "used": used}])
    app.logs("form 'first' was refused: form_incomplete")
    assert state.done(id) == before
    ann.page.evaluate(_SEND, [FORM, {"cid": "forged2", "used": ["trust", "who"]}])
    if why:
        recorded(ann, "why: so, more: , trust: 5, who: X")
    else:
        expect(ann.page.get_by_label("Why?")).to_be_visible()


def test_who_is_refused_by_the_server_reads_why_and_can_answer(ann: Participant) -> None:
    ann.fills("Why?", "so")
    ann.page.locator("labchat-form").evaluate("form => { form.dataset.touched = ''; }")
    ann.presses_button("Continue")
    expect(ann.page.get_by_role("alert")).to_have_text(REFUSED)
    ann.holds("Why?", "so")
    ann.confirms("trust")
    ann.page.get_by_label("Y", exact=True).check()
    ann.presses_button("Continue")
    recorded(ann, "why: so, more: , trust: 5, who: Y")


def test_an_end_is_not_reached_by_a_form_without_answers(ann: Participant, app: Served) -> None:
    ann.fills("Why?", "so")
    ann.page.evaluate(_SEND, [FORM, {"cid": "one", "used": ["trust", "who"]}])
    recorded(ann, "why: so, more: , trust: 5, who: X")
    ann.page.evaluate(_SEND, ["labchat_form_questions_last", {"cid": "two"}])
    app.logs("form 'last' was refused: form_incomplete")
    expect(ann.page.get_by_label("The end?")).to_be_visible()
    ann.fills("The end?", "yes")
    ann.presses_button("Continue")
    ann.ends()


_SEND = """([form, sent]) => {
  const inputs = document.querySelectorAll("labchat-form .shiny-bound-input");
  for (const each of inputs) jQuery(each).trigger("change");
  Shiny.setInputValue(`${form}_sent`, sent, { priority: "event" });
}"""
