"""Real databases, and what is asked of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.store.queries import append_events, insert_events, insert_room, row_of
from shiny_labchat.store.sqlite import connect, parse

Asked = list[str]


class Rooms:
    """
    A database as another process writes it, with one member joining at a time.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = connect(parse(f"sqlite:///{path}"), write=True)
        self.keys: dict[int, LogKey] = {}
        self.heads: dict[int, int] = {}

    def make(self, count: int = 1) -> list[LogKey]:
        """Make rooms, each with a seed of its own."""
        made = [LogKey("s", f"r{len(self.keys) + n}") for n in range(count)]
        with self.engine.begin() as conn:
            for key in made:
                number = insert_room(conn, key)
                self.keys[number], self.heads[number] = key, 0
                seed = f"{self.path.stem} {key.id}"
                self._append(conn, number, [Event(1, 0, "configured", None, {"seed": seed})])
        return made

    def join(self, number: int, count: int = 1) -> None:
        """Let members join a room, in one transaction."""
        with self.engine.begin() as conn:
            first = self.heads[number] + 1
            self._append(conn, number, [joined(seq) for seq in range(first, first + count)])

    def _append(self, conn: sa.Connection, number: int, events: list[Event]) -> None:
        insert_events(conn, [row_of(number, each) for each in events])
        assert append_events(conn, [], [(number, self.heads[number], events[-1].seq)])
        self.heads[number] = events[-1].seq


def joined(seq: int) -> Event:
    data = {"handle": f"h{seq}", "pseudonym": f"Name {seq}", "role": "participant"}
    return Event(seq, seq, "joined", f"m{seq}", data)


@pytest.fixture
def new_rooms(empty_database: Path, tmp_path: Path) -> Iterator[Callable[[], Rooms]]:
    """Makes databases without rooms."""
    made: list[Rooms] = []

    def make() -> Rooms:
        path = tmp_path / f"{len(made)}.db"
        shutil.copy(empty_database, path)
        made.append(Rooms(path))
        return made[-1]

    yield make
    for each in made:
        each.engine.dispose()


@pytest.fixture
def rooms(new_rooms: Callable[[], Rooms]) -> Rooms:
    return new_rooms()


@contextmanager
def asked_of(engine: sa.Engine) -> Iterator[Asked]:
    """The statements that are executed meanwhile."""
    asked: Asked = []

    def note(*args: object) -> None:
        asked.append(str(args[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)
