"""A database moves while its app runs: pages are told, keep what is typed, and go on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser._outage import SEVERED
from tests.browser.conftest import Noise, People, Serve
from tests.support.moving import moved
from tests.support.postgres import PostgresServer

MOVING = "Your message was not stored. The server's database is moving to another place."


@pytest.fixture
def new(postgres: PostgresServer) -> Iterator[str]:
    yield postgres.make("moved", template="template1")
    postgres.drop("moved")


def test_who_writes_while_the_database_moves_keeps_the_text_and_sends_it_in_the_new_one(
    people: People, serve: Serve, new: str, noise: Noise
):
    noise.expects(SEVERED)
    app = serve("room.py")
    ann, bob = people(2, app)
    ann.says("before")
    bob.sees("before")
    moved(app.url, new)
    ann.tries("during")
    ann.is_told(MOVING)
    app.logs("moves to postgresql")
    assert ann.draft == "during"
    bob.sees_only("before")
    app.stop()
    app.url = new
    app.start()
    for person in (ann, bob):
        person.stands("open")
    ann.presses("Enter")
    for person in (ann, bob):
        person.sees_only("before", "during")
    assert ann.draft == ""
    bob.says("after")
    ann.sees("after", by=bob)
