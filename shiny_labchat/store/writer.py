"""
The one writer: a thread that takes all commands that wait and commits them as one transaction.

So a busy server pays for one disk flush per batch, not per message (group commit). Only when
that is on disk does anybody hear of it.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
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
"""Commands in one transaction, at most."""
WAITING = 20_000
"""Commands that may wait; one more is refused with ``store_busy``."""
POLL = 0.05
"""How often the writer looks for commits of other processes, in seconds."""
BUSY = 0.45
"""How much later than that it looks while it has commands of its own to commit, in seconds."""
PAUSE_FOR_OTHERS = 2 * BUSY_RETRY_DELAY
"""How long it leaves others their turn between its own, while others write, in seconds."""
OTHERS_ACTIVE_FOR = 1.0
"""For how long it thinks so after others have written, in seconds."""
TIDY = 3600.0
"""How often tokens that have run out are deleted, in seconds."""
LISTEN_RETRY_DELAY = 1.0
"""How long it waits to look again when that failed, in seconds."""
HEADS = 2_000
"""Unwatched rooms whose state is remembered; others are folded again when they are needed."""


@dataclass(frozen=True, slots=True)
class Committed:
    """
    What has become durable in a room: its events in order, and the state then.

    The events may be missing where another process wrote; then ``state.seq`` tells that there
    are some, and the log has them.
    """

    room: RoomKey
    events: tuple[Event, ...]
    state: RoomState


@dataclass(slots=True)
class Work:
    """A command for a room, or a job; and who is told in which loop what came of it."""

    loop: asyncio.AbstractEventLoop
    tell: Callable[[Any, BaseException | None], None]
    room: RoomKey | None = None
    command: Command | None = None
    job: Callable[[sa.Connection, int], Any] | None = None
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
        Who hears, in which event loop, what is new in watched rooms.
    overhearing
        Who hears, in which event loop, what is new in any room; nothing, when another process
        has written: the log has it.
    watched
        The rooms that are open here, and in how many event loops.
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
        Have something done in one of the next transactions.

        Raises
        ------
        StoreError
            ``store_busy``: too much waits already.
        """
        if self._queue.qsize() >= WAITING:
            raise StoreError("store_busy", str(self._url), f"{WAITING} commands are waiting")
        self._queue.put(work)
        if self._thread is None:
            self.start()

    def start(self) -> None:
        """Start the thread, if it does not run yet."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="labchat-write", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Store what waits, and stop."""
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
        self._queue.put(None)  # the end comes after what waited before it
        return batch

    def _commit(self, batch: list[Work]) -> None:
        news: list[Committed] = []
        try:
            try:
                news = self._transact(batch)
            except (IntegrityError, Stale):  # a repeated command, or another process was there
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
        """Somebody's odd command must not cost the others theirs."""
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
        """Who commits without a pause would hardly ever let another process commit."""
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

    def _fail(self, batch: Iterable[Work], exc: BaseException) -> None:
        error = store_error(self._url, exc)
        logger.error("nothing could be stored: %s", error)
        for work in batch:
            work.error = error
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
        except RuntimeError:  # that loop has closed: nobody there waits any more
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
                logger.exception("nobody could be told what came of a command")
        if heard and loop in self.listeners:
            self.listeners[loop](heard)
        if news and loop in self.overhearing:
            self.overhearing[loop](news)

    def _forget(self) -> None:
        self._conn = None
        self._database.forget()

    # ── other processes ──

    def _hear_others(self) -> None:
        """Announce what other processes have committed; costs 5 µs where there is nothing."""
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
            trouble = f"others' commits cannot be heard: {store_error(self._url, exc)}"
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
            self._heads.clear()  # another file, perhaps: what was known of it is void
            self._version = None
        return self._conn
