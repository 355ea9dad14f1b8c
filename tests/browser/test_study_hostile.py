"""Markup that people put into a study's address, its forms, names and chat stays text."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser._organiser import Organiser
from tests.browser._participants import Participant
from tests.browser.conftest import People, Serve

HOSTILE = '<img src=x onerror="window.struck = 1"><b>bold</b>'


@pytest.mark.long
def test_markup_in_answers_and_params_does_nothing(
    people: People, serve: Serve, organiser: Organiser
):
    app = serve("wanted/study.py")
    ann, bob = (
        Participant(each.page) for each in people(2, app, settled=False, PROLIFIC_PID=HOSTILE)
    )
    (carl,) = (Participant(each.page) for each in people(1, app, settled=False, PROLIFIC_PID="c"))
    ann.page.close()  # the same params are the same person: the newer browser acts
    two = bob, carl
    for each in two:
        each.consents()
    for each in two:
        each.is_ready()
    for each in two:
        each.is_in_group()
    for each in two:
        each.says(HOSTILE, "two", "three")
        each.is_done()
        each.fills("What did you agree on, and why?", HOSTILE)
        each.page.reload()
        each.holds("What did you agree on, and why?", HOSTILE)
        each.presses_button("Finish")
        each.reads_in_study("We wanted to know how groups agree.")
    for each in two:
        assert each.page.evaluate("() => window.struck") is None
        expect(each.page.locator("img[src=x]")).to_have_count(0)


CALLED = "<img src=x onerror=struck=1>"


def nothing_runs(each: Participant) -> None:
    """Neither here nor in what has been drawn and taken away again."""
    assert each.page.evaluate("() => [window.struck, window.loaded]") == [None, None]
    expect(each.page.locator("img[src=x], [onerror]")).to_have_count(0)


LISTENING = """addEventListener("error", ({ target }) => {
  if (target instanceof HTMLImageElement) window.loaded = target.outerHTML;
}, true);"""


def test_a_name_that_is_markup_is_text_wherever_it_stands(people: People, serve: Serve):
    app = serve("chosen_names.py")
    two = [
        Participant(each.page)
        for who in (f"{CALLED}1", f"{CALLED}2")
        for each in people(1, app, settled=False, script=LISTENING, WHO=who)
    ]
    ann, bob = two
    for each in two:
        each.reads_in_study("You will talk.")
        nothing_runs(each)
        each.consents()
    for each in two:
        each.fills("What are you called?", CALLED)
        each.presses_button("Continue")
    for each in two:
        each.is_in_group()
        each.reads_on_page(f"You are called {CALLED}.")
        each.sees(f"Here are {CALLED} and {CALLED}.")
        expect(each.page.get_by_role("radio")).to_have_count(2)
        nothing_runs(each)
    ann.says(CALLED)
    bob.sees(CALLED)
    for each in two:
        each.page.get_by_role("radio").first.check()
        each.presses_button(f"Finish {CALLED}")
    for each in two:
        each.reads_in_study("Thank you.")
        each.reads_in_study(f"{CALLED} machine")
        nothing_runs(each)
        each.presses_button("Continue")
        each.reads_in_study("C1")
        nothing_runs(each)
