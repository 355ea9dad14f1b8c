"""Messages for which a callback is not called: skipped by one process, in one transaction."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from shiny_labchat import Lab, Room
from shiny_labchat.callbacks.cursors import (
    LEASE,
    UPCOMING,
    Claim,
    Cursor,
    LeasedElsewhere,
    Upcoming,
    advance,
    register,
    skip,
    upcoming,
)
from shiny_labchat.domain.scope import Scope
from tests.support.work import counted


class Process:
    """One process that calls the callback "ear" in a room."""

    def __init__(self, room: Room, name: str) -> None:
        self.jobs: list[str] = []
        self._room = room
        self._name = name
        self.cursor = Cursor("ear", 0, room.key, name)

    async def register(self) -> None:
        """Begin with what is said from now on."""
        await self._room.log.write(lambda conn, now: register(conn, "ear", Scope(("*",))))

    async def upcoming(self) -> Upcoming | None:
        return await self._room.log.read(lambda conn: upcoming(conn, self.cursor))

    async def texts(self) -> list[str] | None:
        found = await self.upcoming()
        return found and [event.data["parts"][0][1] for event, _ in found.messages]

    async def skip(self, coming: Upcoming, number: int) -> bool:
        upto = coming.messages[number - 1][1]

        def job(conn: sa.Connection, now: int) -> None:
            self.jobs.append(self._name)

        return await self._room.log.write(
            lambda conn, now: skip(conn, now, self.cursor, coming.done, upto, job)
        )

    async def advance(self, **options: Any) -> Claim | LeasedElsewhere | None:
        return await self._room.log.write(
            lambda conn, now: advance(conn, now, self.cursor, **options)
        )


async def begun(room: Room, *texts: str) -> Process:
    process = Process(room, "one")
    await process.register()
    await asyncio.gather(*(room.post(text, author="a") for text in texts))
    return process


async def test_a_cursor_moves_past_what_is_skipped_in_one_commit(
    room: Room, sqlite_file: Path
) -> None:
    process = await begun(room, "1", "2", "3")
    coming = await process.upcoming()
    assert coming is not None
    with counted() as work:
        assert await process.skip(coming, 2)
    assert work["commits"] == 1 and process.jobs == ["one"]
    assert await process.texts() == ["3"]
    claim = await process.advance()
    assert isinstance(claim, Claim) and (claim.event.data["parts"][0][1], claim.tries) == ("3", 1)


async def test_what_was_not_stored_is_decided_again(room: Room) -> None:
    process = await begun(room, "1", "2")
    assert await process.texts() == await process.texts() == ["1", "2"]
    claim = await process.advance()
    assert isinstance(claim, Claim) and claim.tries == 1, "looking ahead is no try"


async def test_of_two_processes_only_one_skips(room: Room) -> None:
    one = await begun(room, "1", "2")
    two = Process(room, "two")
    seen = [await each.upcoming() for each in (one, two)]
    assert seen[0] is not None and seen[1] is not None
    assert await one.skip(seen[0], 1)
    assert not await two.skip(seen[1], 2)
    assert (one.jobs, two.jobs) == (["one"], [])
    assert await two.texts() == ["2"]


async def test_what_another_process_has_begun_is_not_skipped(room: Room) -> None:
    one, two = await begun(room, "1", "2"), Process(room, "two")
    coming = await two.upcoming()
    assert coming is not None
    assert isinstance(await one.advance(), Claim)
    assert not await two.skip(coming, 2) and not two.jobs
    assert await two.upcoming() is None
    assert isinstance(await two.advance(), LeasedElsewhere)


async def test_what_a_killed_process_has_begun_is_called_again_not_skipped(room: Room) -> None:
    dead, two = await begun(room, "1", "2"), Process(room, "two")
    await room.log.write(lambda conn, now: advance(conn, now - 2 * LEASE, dead.cursor))
    assert await two.upcoming() is None
    claim = await two.advance()
    assert isinstance(claim, Claim) and claim.tries == 2


async def test_without_a_claim_the_lease_is_given_up(room: Room) -> None:
    one, two = await begun(room, "1", "2"), Process(room, "two")
    claim = await one.advance()
    assert isinstance(claim, Claim)
    assert await one.advance(finished=claim.at, claims=False) is None
    assert await two.texts() == ["2"]


async def test_so_many_are_looked_at_ahead_and_no_more(
    lab: Lab, room: Room, sqlite_file: Path
) -> None:
    process = await begun(room, *(f"{n}" for n in range(UPCOMING + 5)))
    with counted() as work:
        texts = await process.texts()
    assert texts is not None and len(texts) == UPCOMING
    assert work["events"] <= UPCOMING + 25
