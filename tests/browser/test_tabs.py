"""Several tabs of one person are one person."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser._outage import CABLES, SEVERED, cut, mend
from tests.browser._people import Person
from tests.browser.conftest import Noise, People


def test_every_tab_shows_everything_once(people: People):
    ann, bob = people(2)
    tab = ann.opens_another_tab()
    ann.says("from one tab")
    tab.says("from the other")
    bob.says("from bob")
    for page in (ann, tab, bob):
        page.sees_only("from one tab", "from the other", "from bob")
    for page in (ann, tab):
        page.chat.expect_own(True, "from one tab")
        page.chat.expect_own(True, "from the other")
        expect(page.chat.loc_outbox).to_be_hidden()


def test_two_tabs_are_here_once_and_type_once(people: People):
    ann, bob = people(2)
    tab = ann.opens_another_tab()
    ann.types("one")
    tab.types("two")
    expect(bob.chat.loc_typing).to_have_text(f"{ann.name} is typing…")
    bob.chat.expect_presence([ann.name, bob.name])
    bob.chat.expect_presence(2)
    expect(tab.chat.loc_typing).to_have_text("")


def test_each_tab_has_its_own_draft(people: People):
    (ann,) = people(1)
    ann.types("in the first")
    ann.reloads()
    tab = ann.opens_another_tab()
    assert tab.draft == ""
    tab.types("in the second")
    for page, draft in ((ann, "in the first"), (tab, "in the second")):
        page.reloads()
        page.chat.expect_user_input(draft)


def test_a_copied_tab_does_not_take_the_draft_along(people: People):
    (ann,) = people(1)
    ann.types("mine")
    ann.reloads()
    ann.chat.expect_user_input("mine")
    with ann.page.context.expect_page() as opened:
        ann.page.evaluate("window.open(location.href)")  # copies what the tab keeps
    copy = Person(opened.value)
    copy.is_in()
    copy.chat.expect_user_input("")
    copy.reloads()
    assert copy.draft == ""
    assert ann.draft == "mine"


def test_what_a_tab_sent_without_shiny_is_handled_in_that_tab(people: People, noise: Noise):
    noise.expects(SEVERED)
    (ann,) = people(1, "away.py", script=CABLES)
    tab: Person = ann.opens_another_tab()
    cut(ann, "shiny")
    ann.says("count")
    tab.sees("count")
    mend(ann, "shiny")
    ann.reads("count", "counted 1")
    tab.says("count", "count")
    tab.reads("count", "counted 2")
    ann.reads("count", "counted 1")
