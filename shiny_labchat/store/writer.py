"""
The one writer: a thread that commits all waiting commands in one transaction.

So a busy server has one disk flush per batch, not per message (group commit). Nobody is told of a
batch before it is on disk.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from shiny_labchat.domain.commands import Command
from shiny_labchat.domain.events import Event, RoomKey
from shiny_labchat.domain.state import RoomState
from shiny_labchat.errors import Refused, StoreError
from shiny_labchat.store import tokens
from shiny_labchat.store.batch import Batch, Head, Stale
from shiny_labchat.store.database import Database, File
from shiny_labchat.store.sqlite import BUSY_RETRY_DELAY, store_error

__all__ = ["Committed", "Listener", "Work", "Writer"]

logger = logging.getLogger("shiny_labchat")

BATCH = 1_000
"""Most commands in one transaction."""
WAITING = 20_000
"""Most commands that may wait; a further one fails with ``store_busy``."""
POLL = 0.05
"""How often the writer looks for commits of other processes, in seconds."""
BUSY = 0.45
"""How much longer than `POLL` it waits if it has commands of its own, in seconds."""
PAUSE_FOR_OTHERS = 2 * BUSY_RETRY_DELAY
"""Pause between two commits while other processes write, so that they can, in seconds."""
OTHERS_ACTIVE_FOR = 1.0
"""How long after a commit of theirs other processes count as writing, in seconds."""
TIDY = 3600.0
"""How often expired tokens are deleted, in seconds."""
LISTEN_RETRY_DELAY = 1.0
"""Pause before it looks for others' commits again after that failed, in seconds."""
HEADS = 2_000
"""Most unwatched rooms whose state is kept; others are folded again when needed."""


@dataclass(frozen=True, slots=True)
class Committed:
    """
    New events of a room that are on disk, in order, and the room's state after them.

    If another process wrote, events may be missing here. Then ``state.seq`` is larger than the last
    seq that the receiver has, and the log has the events.
    """

    room: RoomKey
    events: tuple[Event, ...]
    state: RoomState


@dataclass(slots=True)
class Work:
    """
    A command for a room, or a job; `tell` is called in `loop` with the result or error.

    `raises` says that the sender raises the error, so that it needs no line in the log.
    """

    loop: asyncio.AbstractEventLoop
    tell: Callable[[Any, BaseException | None], None]
    room: RoomKey | None = None
    command: Command | None = None
    job: Callable[[sa.Connection, int], Any] | None = None
    raises: bool = False
    result: Any = None
    error: BaseException | None = None


Listener = Callable[[list[Committed]], None]


class Writer:
    """
    Writes one database.

    Parameters
    ----------
    file
        The database.

    Attributes
    ----------
    listeners
        By event loop, the listener that is called with new events of watched rooms.
    overhearing
        By event loop, the listener that is called with new events of any room; with an empty
        list when another process has written: the events are in the log.
    watched
        The rooms whose commits are wanted, and how many times each is watched.
    """

    def __init__(self, file: File) -> None:
        self.listeners: dict[asyncio.AbstractEventLoop, Listener] = {}
        self.overhearing: dict[asyncio.AbstractEventLoop, Listener] = {}
        self.watched: Counter[RoomKey] = Counter()
        self._url = file.url
        self._database = Database(file, write=True)
        self._heads: OrderedDict[RoomKey, Head] = OrderedDict()
        self._conn: sa.Connection | None = None
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._version: int | None = None
        self._listen_at = 0.0
        self._committed_at = 0.0
        self._others_at = -OTHERS_ACTIVE_FOR
        self._tidy_at = 0.0
        self._trouble = ""

    def put(self, work: Work) -> None:
        """
        Queue work for one of the next transactions.

        Raises
        ------
        StoreError
            ``store_busy``: `WAITING` commands wait already.
        """
        if self._queue.qsize() >= WAITING:
            raise StoreError("store_busy", str(self._url), f"{WAITING} commands are waiting")
        self._queue.put(work)
        if self._thread is None:
            self.start()

    def start(self) -> None:
        """Start the thread, unless it runs already."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="labchat-write", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Store all waiting commands, and stop."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        self._forget()

    # ── the thread ──

    def _run(self) -> None:
        while (batch := self._take()) is not None:
            try:
                if batch:
                    self._commit(batch)
                listens = self.watched or self.overhearing
                if listens and time.monotonic() >= self._listen_at + BUSY * bool(batch):
                    self._hear_others()
            except Exception:
                logger.exception("the writer of %s failed and goes on", self._url)

    def _take(self) -> list[Work] | None:
        batch: list[Work] = []
        try:
            work = self._queue.get(timeout=POLL)
            while work is not None:
                batch.append(work)
                if len(batch) >= BATCH:
                    return batch
                work = self._queue.get_nowait()
        except queue.Empty:
            return batch
        if not batch:
            return None
        self._queue.put(None)  # put back: first this batch is committed
        return batch

    def _commit(self, batch: list[Work]) -> None:
        news: list[Committed] = []
        try:
            try:
                news = self._transact(batch)
            except (IntegrityError, Stale):  # a retry, or another process wrote there
                news = self._transact(batch, is_careful=True)
        except (SQLAlchemyError, OSError, StoreError) as exc:
            if isinstance(exc, IntegrityError) and len(batch) > 1:
                self._commit_singly(batch)
                return
            self._fail(batch, exc)
        except Exception as exc:
            if len(batch) > 1:
                self._commit_singly(batch)
                return
            logger.exception("a command failed")
            batch[0].error = exc
        self._tell(batch, news)

    def _commit_singly(self, batch: list[Work]) -> None:
        """Commit each command alone, so that one that fails does not affect the others."""
        for work in batch:
            self._commit([work])

    def _transact(self, batch: list[Work], is_careful: bool = False) -> list[Committed]:
        conn = self._connect()
        self._give_way()
        with conn.begin():
            now = time.time_ns() // 1000
            if self._data_version() != self._version:
                is_careful, self._others_at = True, time.monotonic()
            rooms = Batch(conn, self._heads, now, is_careful)
            rooms.claim(work.room for work in batch if work.room is not None)
            for work in batch:
                self._do(work, rooms, conn, now)
            rooms.store()
            if time.monotonic() >= self._tidy_at:
                tokens.forget_expired(conn, now)
                self._tidy_at = time.monotonic() + TIDY
        self._committed_at = time.monotonic()
        return self._remember(rooms)

    def _give_way(self) -> None:
        """Pause if other processes write: without pauses they could hardly ever commit."""
        now = time.monotonic()
        if now < self._others_at + OTHERS_ACTIVE_FOR:
            time.sleep(max(0.0, self._committed_at + PAUSE_FOR_OTHERS - now))

    def _do(self, work: Work, rooms: Batch, conn: sa.Connection, now: int) -> None:
        work.result = work.error = None
        try:
            if work.room is not None and work.command is not None:
                work.result = rooms.run(work.room, work.command)
            elif work.job is not None:
                work.result = work.job(conn, now)
        except OperationalError:
            raise
        except Refused as exc:
            exc.room = work.room.id if work.room else None
            work.error = exc
        except Exception as exc:
            work.error = exc

    def _remember(self, rooms: Batch) -> list[Committed]:
        for key, head in rooms.heads.items():
            self._heads[key] = head
            self._heads.move_to_end(key)
        while len(self._heads) > HEADS + len(self.watched):
            self._heads.popitem(last=False)
        return [Committed(k, tuple(e), rooms.heads[k].state) for k, e in rooms.news.items()]

    def _fail(self, batch: Collection[Work], exc: BaseException) -> None:
        error = store_error(self._url, exc)
        for work in batch:
            work.error = error
        if not all(work.raises for work in batch):
            logger.error(
                "a batch of commands was not stored, and their senders are told so: %s", error
            )
        self._forget()

    def _tell(self, batch: Iterable[Work], news: list[Committed]) -> None:
        waiting: dict[asyncio.AbstractEventLoop, list[Work]] = {}
        for work in batch:
            waiting.setdefault(work.loop, []).append(work)
        heard = [item for item in news if item.room in self.watched]
        overheard = self.overhearing if news else ()
        for loop in {*waiting, *(self.listeners if heard else ()), *overheard}:
            self._call(loop, self._deliver, loop, waiting.get(loop, ()), heard, news)

    def _call(
        self, loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *args: Any
    ) -> None:
        try:
            loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # the loop is closed: nobody waits there
            self.listeners.pop(loop, None)
            self.overhearing.pop(loop, None)

    def _deliver(
        self,
        loop: asyncio.AbstractEventLoop,
        works: Iterable[Work],
        heard: list[Committed],
        news: list[Committed],
    ) -> None:
        for work in works:
            try:
                work.tell(work.result, work.error)
            except Exception:
                logger.exception("a sender could not be told the result of a command")
        if heard and loop in self.listeners:
            self.listeners[loop](heard)
        if news and loop in self.overhearing:
            self.overhearing[loop](news)

    def _forget(self) -> None:
        self._conn = None
        self._database.forget()

    # ── other processes ──

    def _hear_others(self) -> None:
        """Announce what other processes have committed; takes 5 µs if there is nothing."""
        try:
            version = self._data_version()
            if version != self._version:
                self._tell((), self._missed())
                for loop, listener in tuple(self.overhearing.items()):
                    self._call(loop, listener, [])
                self._version = version
            self._listen_at = time.monotonic() + POLL
            self._trouble = ""
        except (SQLAlchemyError, OSError, StoreError) as exc:
            trouble = (
                f"cannot read other processes' commits, retrying: {store_error(self._url, exc)}"
            )
            if trouble != self._trouble:
                logger.error(trouble)
            self._trouble = trouble
            self._forget()
            self._listen_at = time.monotonic() + LISTEN_RETRY_DELAY

    def _data_version(self) -> int:
        raw = self._connect().connection.driver_connection
        assert raw is not None
        return raw.execute("PRAGMA data_version").fetchone()[0]

    def _missed(self) -> list[Committed]:
        conn = self._connect()
        with conn.begin():
            rooms = Batch(conn, self._heads, 0)
            rooms.catch_up(list(self.watched))
        return self._remember(rooms)

    def _connect(self) -> sa.Connection:
        engine = self._database.engine()
        if self._conn is None or engine is not self._conn.engine:
            self._conn = engine.connect()
            self._heads.clear()  # it may be another file: forget the old states
            self._version = None
        return self._conn
