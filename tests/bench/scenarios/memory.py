"""What a session and a room cost the server in memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tests.bench.clock import pause
from tests.bench.crowd import ROOM, Crowd
from tests.bench.options import Options
from tests.bench.results import Job, Result, Row, Scenario
from tests.bench.servers import Server, serving
from tests.bench.sides import OURS, SIDES, Person, Side

__all__ = ["MEMORY"]

BEFORE = 5
"""People who are in before anything is measured."""
SETTLE = 1.5
"""Pause before memory is read, in seconds."""


def _plan(options: Options) -> list[Job]:
    jobs = [Job(side.name, side.name, partial(_measure, options, side)) for side in SIDES]
    return [*jobs, Job("ours", "ours, without pages", partial(_measure_sockets, options))]


async def _measure(options: Options, side: Side) -> Result:
    async with serving(side) as server, Crowd(server, BEFORE):
        empty = await _memory(server)
        async with Crowd(server, options.sessions):
            grown = await _memory(server) - empty
    values = {"server": empty, "session": grown * 100 / options.sessions}
    return _result(side, values)


async def _measure_sockets(options: Options) -> Result:
    """People whose tickets were made elsewhere, so that no page is open here."""
    number = options.sessions
    async with serving(OURS) as server, Crowd(server, BEFORE):
        here = await OURS.tickets(server.url, ROOM, number)
        apart = await OURS.tickets(server.url, f"{ROOM}-{{}}", number)
        empty = await _memory(server)
        people = await _come(server, here)
        one = await _memory(server)
        people += await _come(server, apart)
        many = await _memory(server)
        for person in people:
            person.vanish()
    socket, room = one - empty, many - one - (one - empty)
    return _result(OURS, {"socket": socket * 100 / number, "room": room * 100 / number})


async def _come(server: Server, tickets: Sequence[str]) -> list[Person]:
    return [await OURS.come(server.port, ticket=ticket) for ticket in tickets]


async def _memory(server: Server) -> float:
    await pause(SETTLE)
    return server.memory()


def _result(side: Side, values: dict[str, float]) -> Result:
    return Result("memory", "resident memory", side.name, 0, values)


MEMORY = Scenario(
    "memory",
    "What the server takes",
    (
        Row("server", f"with {BEFORE} sessions, MB"),
        Row("session", "100 sessions more (page and chat), MB"),
        Row("socket", "100 sockets more (without pages), MB"),
        Row("room", "100 rooms more (with one socket each), MB"),
    ),
    _plan,
)
