"""What was not sent stays with who wrote it, and with nobody else."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser._organiser import Organiser
from tests.browser._outage import CABLES, SEVERED, cut, deafen, mend
from tests.browser._people import Person
from tests.browser.conftest import Noise, People, Serve
from tests.browser.test_identity import BLOCKED

UNSENT = "Will be sent when the connection is back"


@pytest.fixture(autouse=True)
def expects_noise(noise: Noise) -> None:
    noise.expects(SEVERED)


def test_a_draft_survives_reload_until_it_is_sent(people: People):
    ann, bob = people(2)
    ann.types("half a sen")
    ann.reloads()
    ann.chat.expect_user_input("half a sen")
    ann.types("tence")
    ann.presses("Enter")
    bob.sees("half a sentence", by=ann)
    ann.reloads()
    ann.sees_only("half a sentence")
    assert ann.draft == ""


def test_what_waits_survives_reload_in_an_outage_and_is_sent_once(people: People):
    (ann,) = people(1, script=CABLES)
    (bob,) = people(1)
    cut(ann, "chat")
    ann.tries("first")
    ann.tries("second")
    ann.types("third")
    ann.page.reload()
    expect(ann.chat.loc_outbox.get_by_role("listitem")).to_have_text(
        [f"first {UNSENT}", f"second {UNSENT}"]
    )
    ann.chat.expect_user_input("third")
    mend(ann, "chat")
    for person in (ann, bob):
        person.sees_only("first", "second")
    expect(ann.chat.loc_outbox).to_be_hidden()
    ann.reloads()
    ann.sees_only("first", "second")
    expect(ann.chat.loc_outbox).to_be_hidden()
    assert ann.draft == "third"


def test_what_was_stored_unheard_is_not_sent_anew_after_reload(people: People):
    (ann,) = people(1, script=CABLES)
    (bob,) = people(1)
    deafen(ann)
    ann.tries("only once")
    bob.sees("only once")
    ann.sees_no("only once")
    ann.reloads()
    expect(ann.chat.loc_outbox).to_be_hidden()
    ann.says("the end")
    for person in (ann, bob):
        person.sees_only("only once", "the end")


def test_what_waits_survives_a_killed_server_and_a_closed_page(people: People, serve: Serve):
    app = serve("room.py")
    ann, bob = people(2, app)
    app.kill()
    ann.stands("reconnecting")
    ann.tries("unsent")
    url = ann.page.url
    ann.opens("about:blank")
    app.start()
    ann.opens(url)
    for person in (ann, bob):
        person.sees_only("unsent")


def test_a_copied_tab_that_is_somebody_new_gets_no_draft(people: People):
    (ann,) = people(1, identity="tab", script=CABLES)
    (bob,) = people(1)
    cut(ann, "chat")
    ann.tries("mine")
    ann.types("mine too")
    ann.page.reload()  # now it is stored for certain
    expect(ann.chat.loc_outbox).to_contain_text("mine")
    with ann.page.context.expect_page() as opened:
        ann.page.evaluate("window.open(location.href)")  # copies what the tab keeps
    copy = Person(opened.value)
    copy.is_in()
    copy.says("I am new")
    assert copy.draft == ""
    bob.sees_only("I am new")
    expect(copy.chat.loc_outbox).to_be_hidden()
    mend(ann, "chat")
    bob.sees("mine", by=ann)
    ann.sees_only("I am new", "mine")
    assert ann.draft == "mine too"
    assert ann.name != copy.name


def test_the_next_person_in_a_tab_does_not_see_a_draft(
    people: People, shared: Serve, organiser: Organiser
):
    lab = organiser.lab(shared("link.py"))
    first, second = (organiser.does(lab.invite(member)) for member in ("p17", "p18"))
    (somebody,) = people(1, "link.py", labchat=first)
    somebody.types("a secret")
    address = somebody.page.url
    somebody.opens(address.replace(first, second))
    somebody.is_in()
    assert somebody.draft == ""
    assert "secret" not in somebody.page.evaluate("() => JSON.stringify(sessionStorage)")
    somebody.says("hello")
    somebody.opens(address)
    somebody.is_in()
    somebody.sees("hello")
    assert somebody.draft == ""


def test_a_draft_stays_in_the_room_it_was_written_in(people: People):
    (ann,) = people(1, "moving.py")
    rooms = ann.page.locator("#where")
    ann.types("for a")
    rooms.get_by_label("B").check()
    ann.chat.expect_user_input("")
    ann.stands("open")
    ann.types("for b")
    rooms.get_by_label("nowhere").check()
    ann.stands("waiting")
    assert ann.draft == ""
    rooms.get_by_label("A").check()
    ann.chat.expect_user_input("for a")
    ann.presses("Enter")
    ann.sees_only("for a")
    rooms.get_by_label("B").check()
    ann.chat.expect_user_input("for b")
    ann.sees_only()


def test_what_is_sent_while_one_enters_a_room_waits_for_the_line(people: People):
    (ann,) = people(1, "moving.py", script=CABLES)
    rooms = ann.page.locator("#where")
    cut(ann, "chat")
    rooms.get_by_label("nowhere").check()
    ann.stands("waiting")
    rooms.get_by_label("B").check()
    ann.stands("reconnecting")
    ann.tries("early")
    ann.chat.expect_user_input("")
    mend(ann, "chat")
    ann.sees_only("early")


def test_a_text_of_a_megabyte_is_not_kept_nor_what_was_kept_before(people: People):
    (ann,) = people(1)
    ann.types("short")
    ann.reloads()
    ann.chat.expect_user_input("short")
    ann.chat.loc_input.fill("x" * 1_000_000)
    ann.reloads()
    assert ann.draft == ""


def test_with_storage_blocked_a_draft_lasts_as_long_as_the_page(people: People):
    (ann,) = people(1, device={}, script=BLOCKED)
    ann.types("a draft")
    ann.reloads()
    assert ann.draft == ""
    ann.says("all the same")
