"""What things cost, as the bench has measured them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.report import medians
from tests.bench.results import Result

__all__ = ["FILE", "Costs", "costs_of"]

FILE = Path(__file__).parent / "costs.json"
"""The measured costs; ``python -m tests.scaling --measured bench.json`` writes it."""
ONE_ROOM = "{} people"
FEW, MANY = 10, 50
"""People in the one room of two runs: by how much more is done for more, a delivery is known."""
ROOMS, SIZE, RATE = 100, 5, 200
"""
Rooms, people of each, and messages a second of the run by which the rest of a message is known. It
is with as many messages as labs have that need to know: one that comes alone takes half as much
again, as threads wait for it that would be awake.
"""


@dataclass(frozen=True, slots=True)
class Costs:
    """
    Processor times are in milliseconds, memory is in MB (2**20 bytes).

    Parameters
    ----------
    store
        A server's work for a message, whoever hears of it.
    deliver
        Its work for each person who is sent the message.
    hear
        The work of everything for each further process that has the message's room open.
    ring
        A process's work for a bell of another's, also if it has the room not open.
    database
        PostgreSQL's work for a message.
    commit
        How long a message waits for the database, flush included; no work of a server's.
    passing
        How long a bell takes to another process.
    admit
        A server's work for a page that comes.
    rest
        A server's work for an open page in which nothing happens, in ms a second.
    process_rest
        A server's work if nothing happens at all, in ms a second.
    process, page, room
        Memory of a server, of a page with its chat, and of an open room.
    """

    store: float
    deliver: float
    hear: float
    ring: float
    database: float
    commit: float
    passing: float
    admit: float
    rest: float
    process_rest: float
    process: float
    page: float
    room: float

    @classmethod
    def measured(cls) -> Costs:
        """Those of `FILE`."""
        return cls(**json.loads(FILE.read_text(encoding="utf-8")))

    def keep(self) -> None:
        """Write them to `FILE`."""
        rounded = {name: float(f"{value:.3g}") for name, value in asdict(self).items()}
        FILE.write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")


def costs_of(results: Sequence[Result], before: Costs) -> Costs:
    """
    The costs that the scenarios engines, workers, rooms and memory have measured.

    What they do not measure is as before: the bell, the time of its passing, and what a process
    does if nobody is there.

    Raises
    ------
    ValueError
        One of these scenarios is missing.
    """
    few = _of(results, "engines", ONE_ROOM.format(FEW), "PostgreSQL")
    many = _of(results, "engines", ONE_ROOM.format(MANY), "PostgreSQL")
    deliver = (many["server"] * MANY - few["server"] * FEW) / (MANY - FEW) / 1000
    together, apart = f"{ONE_ROOM.format(MANY)}, PostgreSQL, NATS", f"{ROOMS} rooms of {SIZE}"
    one, two = (_of(results, "workers", together, side) for side in ("one", "two"))
    usual = _of(results, "workers", f"{apart}, PostgreSQL, NATS", "one")
    rest = max(0.0, two["rest"] - 2 * before.process_rest) / MANY
    at_rest = (before.process_rest + ROOMS * SIZE * rest) / RATE
    store = max(0.0, SIZE * usual["workers"] / 1000 - SIZE * deliver - at_rest)
    rooms = next((r for r in results if r.scenario == "rooms" and r.side == "ours"), None)
    if rooms is None:
        raise ValueError("nothing was measured of 'rooms'")
    memory = _of(results, "memory", "resident memory", "ours")
    return Costs(
        store=store,
        deliver=deliver,
        hear=max(0.0, two["all"] - one["all"]) * MANY / 1000,
        ring=before.ring,
        database=usual["database"] * SIZE / 1000,
        commit=max(0.0, usual["p50"] - store - SIZE * deliver / 2),
        passing=before.passing,
        admit=rooms.values["admit"],
        rest=rest,
        process_rest=before.process_rest,
        process=memory["server"],
        page=memory["session"] / 100,
        room=memory["room"] / 100,
    )


def _of(results: Sequence[Result], scenario: str, case: str, side: str) -> Mapping[str, float]:
    of = [result for result in results if result.scenario == scenario]
    found = {key: sides[side] for key, sides in medians(of, case).items() if side in sides}
    if not found:
        raise ValueError(f"nothing was measured of {scenario!r}, {case!r}, {side!r}")
    return found
