"""Databases as long studies leave them behind: with any number of rooms, messages and tokens."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from shiny_labchat.domain.commands import Configure
from shiny_labchat.domain.decide import decide
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.state import RoomState
from shiny_labchat.store import queries, schema, tokens
from shiny_labchat.store.sqlite import connect, parse
from shiny_labchat.store.sqlite_file import File
from tests.bench.sides.ours_rooms import RULES, STUDY
from tests.bench.tally import old_line

__all__ = ["Contents", "Databases", "Rooms", "resume_token"]

ROWS_AT_ONCE = 20_000
"""Rows that are made and written at a time, so that memory does not grow with their number."""
LONG_AGO = 1_000_000
"""When the expired tokens expired, in microseconds since 1970 (UTC)."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """
    Rooms that are alike.

    Parameters
    ----------
    name
        Their id; in it, ``{}`` becomes a number, from 0.
    number
        How many there are.
    members
        How many people joined each of them: "p0", "p1", ...
    messages
        How many messages each has; the members said them in turn.
    private
        How many of these, the newest ones, only "p1" may see.
    sockets
        How many of the members can come with a `resume_token`.
    """

    name: str
    number: int = 1
    members: int = 2
    messages: int = 0
    private: int = 0
    sockets: int = 0

    def ids(self) -> list[str]:
        """The rooms' ids."""
        return [self.name.format(k) for k in range(self.number)]


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a database: rooms, and how many tokens that have expired."""

    rooms: tuple[Rooms, ...]
    expired: int = 0


class Databases:
    """Makes each database once, in a temporary folder that ends with this process."""

    def __init__(self) -> None:
        self._made: dict[Contents, Path] = {}

    @cached_property
    def _folder(self) -> Path:
        folder = tempfile.mkdtemp(prefix="labchat-bench-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    def copy(self, contents: Contents, to: Path) -> None:
        """Put a database with these contents there."""
        if contents not in self._made:
            path = self._folder / f"{len(self._made)}.db"
            _make(path, contents)
            self._made[contents] = path
        shutil.copyfile(self._made[contents], to)


def resume_token(room: str, member: str = "p0") -> str:
    """What a member comes into a room with, if the room's `Rooms.sockets` has them."""
    return f"{room}:{member}"


def _make(path: Path, contents: Contents) -> None:
    url = parse(f"sqlite:///{path}")
    File(url).prepare(make=True)
    engine = connect(url, write=True)
    now = time.time_ns() // 1000
    with engine.begin() as conn:
        for rooms in contents.rooms:
            for id in rooms.ids():
                _insert_room(conn, rooms, id, now)
        _insert_expired(conn, contents.expired)
    engine.dispose()


def _insert_room(conn: sa.Connection, rooms: Rooms, id: str, now: int) -> None:
    key = LogKey(STUDY, id)
    number = queries.insert_room(conn, key)
    events = chain(decide(RoomState(), Configure("seed", rules=RULES), now), _events(rooms, now))
    rows = (queries.row_of(number, event) for event in events)
    while some := list(islice(rows, ROWS_AT_ONCE)):
        queries.insert_events(conn, some)
    moved = queries.append_events(conn, [], [(number, 0, 1 + rooms.members + rooms.messages)])
    assert moved
    for k in range(rooms.sockets):
        grant = tokens.Grant(f"p{k}", key, page=f"{id}-p{k}")
        tokens.issue(conn, "resume", grant, now, raw=resume_token(id, f"p{k}"))


def _events(rooms: Rooms, now: int) -> Iterator[Event]:
    for k in range(rooms.members):
        joined = {"handle": f"h{k}", "pseudonym": f"Person {k}", "role": "participant"}
        yield Event(2 + k, now, "joined", f"p{k}", {**joined, "asked": f"Person {k}"})
    for n in range(rooms.messages):
        is_private = n >= rooms.messages - rooms.private
        k = 1 if is_private else n % rooms.members
        data: dict[str, Any] = {"role": "user", "h": f"h{k}", "name": f"Person {k}"}
        data |= {"parts": [("text", old_line(n))]} | ({"audience": ["p1"]} if is_private else {})
        yield Event(2 + rooms.members + n, now, "message", f"p{k}", data)


def _insert_expired(conn: sa.Connection, number: int) -> None:
    rows = (
        {
            "hash": hashlib.sha256(f"expired {n}".encode()).hexdigest(),
            "kind": "resume",
            "study": STUDY,
            "room": "long-ago",
            "member": f"p{n}",
            "page": f"page-{n}",
            "expires": LONG_AGO + n,
        }
        for n in range(number)
    )
    while some := list(islice(rows, ROWS_AT_ONCE)):
        conn.execute(sa.insert(schema.token), some)
