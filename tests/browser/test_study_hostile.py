"""Markup that people put into a study's address, its forms and its chat stays text."""

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
