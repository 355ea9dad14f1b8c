"""What shinychat promises of bookmarks holds for a room: all is there again, and once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser._people import Person
from tests.browser.conftest import People


def is_kept(person: Person) -> str:
    """Wait until their address leads back; gives it."""
    expect(person.page).to_have_url(re.compile("chat--place=|_state_id_="))
    return person.page.url


@pytest.mark.parametrize("app", ["kept.py", "kept_on_server.py"])
def test_after_a_reload_all_is_there_once_and_a_client_remembers(people: People, app: str):
    ann, bob = people(2, app)
    ann.sees_only("Welcome!")
    assert "place" not in ann.page.url and "state" not in ann.page.url
    ann.says("one")
    ann.sees("1: one")
    address = is_kept(ann)
    bob.says("mine")
    ann.sees("1: mine")
    ann.says("two")
    ann.sees("2: two")
    said = ["Welcome!", "one", "1: one", "mine", "1: mine", "two", "2: two"]
    for _ in range(2):
        ann.sees_only(*said)
        ann.reads("told", "told ['one', 'two'], turns []")
        ann.reloads()
    ann.opens(address)
    ann.is_in()
    ann.sees_only(*said)
    ann.says("three")
    bob.sees("3: three", by="Assistant")


def test_a_chatlas_client_is_told_anew_what_the_room_has_said(people: People):
    (ann,) = people(1, "kept.py", client="chatlas")
    ann.says("one")
    ann.sees("1: one")
    is_kept(ann)
    ann.reloads()
    ann.sees_only("Welcome!", "one", "1: one")
    ann.reads("told", f"told [], turns ['{ann.name}: one', '1: one']")


@pytest.mark.parametrize(
    ("asked", "words"), [("card", "Stamp"), ("mixed", "Thoughts\nSome bold words\nStamp")]
)
def test_ui_of_a_message_is_styled_and_works_after_a_reload(people: People, asked: str, words: str):
    ann, bob = people(2, "kept.py")
    ann.says(asked)
    ann.sees("Stamp")
    is_kept(ann)
    ann.reloads()
    for person in (ann, bob):
        person.sees_only("Welcome!", asked, words)
        expect(person.finds("Stamp")).to_have_css("border-color", "rgb(255, 0, 0)")
        person.finds("Stamp").click()
        expect(person.finds("Stamped")).to_be_visible()
        if asked == "mixed":
            expect(person.chat.loc_latest_message.locator("strong")).to_have_text("bold")
            person.finds("Thoughts").click()
            expect(person.finds("hm")).to_be_visible()
