"""A personal link that is revoked while its person has the page open."""

from __future__ import annotations

from tests.browser._organiser import Organiser
from tests.browser.conftest import People, Serve

WORDS = "Your access to this room was withdrawn. Please ask the organisers."


def test_who_came_by_a_revoked_link_is_sent_away_in_words_and_keeps_their_draft(
    people: People, shared: Serve, room: str, organiser: Organiser
):
    app = shared("link.py")
    lab = organiser.lab(app)
    organiser.does(lab.create_room(room, study="apps"))
    links = [organiser.does(lab.invite(f"{name}-{room}")) for name in ("ann", "bob")]
    (ann,) = people(1, "link.py", labchat=links[0])
    (bob,) = people(1, "link.py", labchat=links[1])
    ann.says("hello")
    bob.sees("hello")
    ann.types("I was about to say")
    assert organiser.does(lab.revoke(f"ann-{room}", "links")) == 1
    ann.stands("gone", WORDS)
    ann.cannot_write(WORDS)
    assert ann.draft == "I was about to say"
    bob.says("and I go on")
    ann.sees_only("hello")
    ann.reloads()
    ann.stands("gone", WORDS)
    ann.sees_no("hello")
    again = organiser.does(lab.invite(f"ann-{room}"))
    (ann,) = people(1, "link.py", labchat=again)
    ann.sees_only("hello", "and I go on")
