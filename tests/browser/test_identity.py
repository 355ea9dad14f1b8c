"""Who somebody is, over tabs, reloads and blocked storage."""

from __future__ import annotations

from tests.browser._organiser import Organiser
from tests.browser._people import Person
from tests.browser.conftest import People, Serve

BLOCKED = """for (const storage of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, storage, {
    get() { throw new DOMException("The operation is insecure.", "SecurityError"); },
  });
}"""
PLAIN_HTTP = """
  delete Crypto.prototype.randomUUID;
  Object.defineProperty(navigator, "clipboard", { value: undefined });
"""


def test_two_tabs_of_one_browser_are_one_person(people: People):
    ann, bob = people(2)
    tab = ann.opens_another_tab()
    assert tab.name == ann.name
    tab.says("from the other tab")
    ann.chat.expect_own(True, "from the other tab")
    bob.sees("from the other tab", by=ann)
    bob.chat.expect_presence([ann.name, bob.name])
    tab.leaves()
    bob.says("still there?")
    ann.sees("still there?")
    bob.chat.expect_presence([ann.name, bob.name])


def test_two_chats_of_a_page_are_one_person(people: People, room: str):
    (ann,) = people(1, "rooms.py", chat="one")
    (bob,) = people(1, "rooms.py", chat="two")
    ann.says("in one room")
    ann.at("two").says("and in the other")
    bob.chat.expect_presence(2)
    bob.sees("and in the other", by=ann.at("two"))


def test_two_people_side_by_side_are_two_people(people: People):
    (both,) = people(1, "side_by_side.py", chat="left")
    left, right = both, both.at("right")
    assert left.name != right.name
    left.chat.expect_presence([left.name, right.name])
    left.says("knock knock")
    right.sees("knock knock", by=left)
    right.chat.expect_own(False, "knock knock")
    names = left.name, right.name
    both.reloads()
    right.is_in()
    assert (left.name, right.name) == names


def test_a_duplicated_tab_with_tab_identity_is_somebody_new(people: People):
    (ann,) = people(1, identity="tab")
    name = ann.name
    with ann.page.context.expect_page() as opened:
        ann.page.evaluate("window.open(location.href)")  # copies what the tab keeps
    copy = Person(opened.value)
    copy.is_in()
    ann.chat.expect_presence(2)
    assert ann.name == name
    assert copy.name != name


def test_with_browser_identity_two_browsers_are_two_people(people: People):
    ann, bob = people(2)
    assert ann.name != bob.name
    ann.chat.expect_presence([ann.name, bob.name])


def test_with_storage_blocked_people_still_talk(people: People):
    ann, bob = people(2, device={}, script=BLOCKED)
    ann.says("private mode")
    bob.sees("private mode", by=ann)


def test_on_plain_http_people_still_talk(people: People):
    ann, bob = people(2, device={}, script=PLAIN_HTTP)
    ann.says("over the LAN")
    bob.sees("over the LAN", by=ann)


def test_without_a_personal_link_a_linked_room_stays_shut(people: People):
    (stranger,) = people(1, "link.py")
    stranger.stands("gone", "This room can only be entered with a personal link. Please open")
    stranger.cannot_write("personal link")


def test_a_personal_link_is_its_person_in_every_browser(
    people: People, shared: Serve, organiser: Organiser
):
    lab = organiser.lab(shared("link.py"))
    token = organiser.does(lab.invite("p17"))
    at_home, at_work = people(2, "link.py", labchat=token)
    assert at_home.name == at_work.name
    at_home.says("it is me")
    at_work.chat.expect_own(True, "it is me")


def test_the_handler_runs_in_the_tab_that_sent(people: People):
    (ann,) = people(1, "handlers.py")
    tab = ann.opens_another_tab()
    ann.says("count")
    ann.reads("count", "counted 1")
    tab.sees("count")
    tab.reads("count", "counted 0")
    tab.says("count")
    tab.reads("count", "counted 1")
    ann.reads("count", "counted 1")
