"""What an export reads: the logs of a database up to where they were at its beginning."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa

from shiny_labchat.domain.events import Event
from shiny_labchat.store import Log
from shiny_labchat.store.exporting import EventRow, LogHead, events_page

__all__ = ["Source", "Stopped", "event_of", "loads", "select_heads"]

T = TypeVar("T")

PAGE_SIZE = 2_000_000
"""About how many characters of data a page of events has."""
MOST, FIRST, LEAST = 2_000, 200, 20
"""How many events a page has: at most, the first one, and at least."""


class Stopped(Exception):
    """Nobody waits for the export any more."""


class Source:
    """
    The logs that an export is of; read in a thread of the export's own.

    Parameters
    ----------
    log
        The database.
    heads
        The logs, and how far each goes.
    progress
        Called with how many events were read, and how many there are.
    is_gentle
        Whether this process serves pages, which must not wait for the export.

    Attributes
    ----------
    is_stopped
        Set from outside when nobody waits for the export any more.
    """

    def __init__(
        self,
        log: Log,
        heads: Sequence[LogHead],
        progress: Callable[[int, int], None] | None = None,
        *,
        is_gentle: bool = False,
    ) -> None:
        self.heads = heads
        self.is_stopped = False
        self._log = log
        self._progress = progress
        self._is_gentle = is_gentle
        self._done, self._total = 0, sum(head.seq for head in heads)
        self._resumed = time.perf_counter()

    def read(self, job: Callable[[sa.Connection], T]) -> T:
        """
        Run `job(connection)` in a transaction of its own.

        Raises
        ------
        Stopped
            Nobody waits for the export any more.
        StoreError
            The database could not be read.
        """
        if self.is_stopped:
            raise Stopped
        return self._log.read_now(job)

    def pages(self, head: LogHead, *, counts: bool = True) -> Iterator[list[EventRow]]:
        """The events of a log as they were written, page by page; `counts`: they are progress."""
        after, limit = 0, FIRST
        while after < head.seq:
            rows = self._page(head, after, limit)
            if not rows:
                break
            yield rows
            if counts:
                self._done += rows[-1][0] - after
                self._say()
            after = rows[-1][0]
            size = sum(len(row[4]) for row in rows) + 1
            limit = min(MOST, max(LEAST, PAGE_SIZE * len(rows) // size))
        if counts:
            self._done += head.seq - max(after, 0)

    def of_study(self, study: str) -> list[LogHead]:
        """The logs of a study, and how far each goes."""
        return [head for head in self.heads if head.key.study == study]

    def names(
        self, heads: Iterable[LogHead], read: Callable[[sa.Connection, int, int], set[str]]
    ) -> set[str]:
        """All ids that `read(connection, number, upto)` finds in some logs."""
        found: set[str] = set()
        for number, _, seq in heads:
            found |= self.read(lambda conn, number=number, seq=seq: read(conn, number, seq))
        return found

    def _page(self, head: LogHead, after: int, limit: int) -> list[EventRow]:
        self._pause()
        return self.read(lambda conn: events_page(conn, head.number, after, head.seq, limit))

    def _say(self) -> None:
        if self._progress is not None:
            self._progress(min(self._done, self._total), self._total)

    def _pause(self) -> None:
        """Leave the interpreter to the pages that are served for as long as it was taken."""
        if self._is_gentle:
            time.sleep(min(0.1, time.perf_counter() - self._resumed))
            self._resumed = time.perf_counter()

    def events(self, head: LogHead) -> Iterator[Event]:
        """The events of a log, one by one; this is not progress."""
        for rows in self.pages(head, counts=False):
            yield from map(event_of, rows)


def event_of(row: EventRow) -> Event:
    """The event of a row."""
    seq, at, kind, member, data, cid = row
    return Event(seq, at, kind, member, loads(kind, data), cid)


def loads(kind: str, data: str) -> dict[str, Any]:
    """The data of an event; the study's own may have integers of any size."""
    return json.loads(data) if kind == "recorded" else orjson.loads(data)


def select_heads(heads: Iterable[LogHead], rooms: Iterable[str] | None) -> list[LogHead]:
    """The heads of some rooms (None: of all), and of the logs of studies and lobbies."""
    wanted = None if rooms is None else frozenset(rooms)
    return [head for head in heads if wanted is None or _is_wanted(head, wanted)]


def _is_wanted(head: LogHead, rooms: frozenset[str]) -> bool:
    return head.key.kind != "room" or head.key.id in rooms
