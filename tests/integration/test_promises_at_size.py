"""
What is promised holds with ten times as many rooms, tokens, members and messages as usually.

The tests are those of other modules; the database and the room are this module's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.store import Grant, issue
from tests.support.backend import Databases
from tests.support.server import Server, shiny_run

from .conftest import APP
from .test_slow import (
    test_a_busy_room_delays_no_other_room,
    test_a_stalled_browser_delays_nobody_and_catches_up,
)
from .test_talking import (
    test_a_message_is_stored_before_anybody_sees_it,
    test_all_see_all_in_one_order,
)

__all__ = [
    "test_a_busy_room_delays_no_other_room",
    "test_a_message_is_stored_before_anybody_sees_it",
    "test_a_stalled_browser_delays_nobody_and_catches_up",
    "test_all_see_all_in_one_order",
]

pytestmark = pytest.mark.long

ROOMS, TOKENS = 2_000, 20_000
"""In the database."""
MEMBERS, MESSAGES = 500, 5_000
"""In each test's room; what was said before is cleared, so that pages show what the tests say."""
AT_ONCE = 500
_rooms = count(1)


@pytest.fixture(scope="module")
def url(databases: Databases) -> str:
    return databases.make()


@pytest.fixture(scope="module")
def lab(url: str) -> Iterator[Lab]:
    lab = Lab(url)
    asyncio.run(fill(lab))
    yield lab
    lab.log.close()


async def fill(lab: Lab) -> None:
    for start in range(0, ROOMS, AT_ONCE):
        ids = (f"other-{n}" for n in range(start, start + AT_ONCE))
        await asyncio.gather(*(lab.create_room(id, study="others") for id in ids))
    for start in range(0, TOKENS, AT_ONCE):
        some = range(start, start + AT_ONCE)
        await lab.log.write(lambda conn, now, some=some: issue_to(conn, now, some))


def issue_to(conn: sa.Connection, now: int, numbers: range) -> None:
    for n in numbers:
        issue(conn, "resume", Grant(f"m{n}", page=f"p{n}", study="others"), now)


@pytest.fixture(scope="module")
def server(url: str, lab: Lab) -> Iterator[Server]:
    server = Server(shiny_run(APP), url)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def room(lab: Lab) -> Room:
    room = await lab.create_room(f"room-{next(_rooms)}", study="tests", rules=Rules(rate=None))
    await asyncio.gather(*(room.add_member(f"member-{n}") for n in range(MEMBERS)))
    for start in range(0, MESSAGES, AT_ONCE):
        await asyncio.gather(*(room.post(f"{n}") for n in range(start, start + AT_ONCE)))
    await room.clear()
    return room
