"""
The log: one thread per database that writes, and a few that read.

Whatever changes a room is a command in the writer's queue. The writer takes all that waits and
commits it as one transaction (group commit), so a busy server pays for one disk flush per
batch, not per message. Only then does anybody hear of it.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from shiny_labchat._decide import Command
from shiny_labchat._domain import Event, RoomKey, RoomState
from shiny_labchat.errors import Refused, StoreError
from shiny_labchat.store import _tokens
from shiny_labchat.store._batch import Batch, Head, Outcome
from shiny_labchat.store._engine import connect, file_of, parse, store_error, upgrade

__all__ = ["Committed", "Log", "Outcome", "open_log", "opened_logs"]

logger = logging.getLogger("shiny_labchat")
T = TypeVar("T")

BATCH = 1_000
"""Commands in one transaction, at most."""
WAITING = 20_000
"""Commands that may wait; one more is refused with ``store_busy``."""
POLL = 0.05
"""How often an idle writer looks for commits of other processes, in seconds."""
HEADS = 2_000
"""Rooms whose state the writer remembers; others are folded again when they are needed."""
READERS = 4


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
class _Work:
    """Something for the writer, and who waits for it."""

    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]
    room: RoomKey | None = None
    command: Command | None = None
    job: Callable[[sa.Connection, int], Any] | None = None
    result: Any = None
    error: BaseException | None = None


Listener = Callable[[list[Committed]], None]


def open_log(url: str) -> Log:
    """The log of a database: one for each URL in a process. No I/O yet."""
    parsed = parse(url)
    name = parsed.render_as_string(hide_password=False)
    with _logs_lock:
        if name not in _logs:
            _logs[name] = Log(parsed)
        return _logs[name]


_logs: dict[str, Log] = {}
_logs_lock = threading.Lock()


def opened_logs() -> list[Log]:
    """All logs that this process has opened, in order."""
    return list(_logs.values())


class Log:
    """
    A database's rooms, and the only way to change them. Use :func:`open_log`.

    Parameters
    ----------
    url
        The database.
    """

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._listeners: dict[asyncio.AbstractEventLoop, Listener] = {}
        self._watched: set[RoomKey] = set()
        self._heads: OrderedDict[RoomKey, Head] = OrderedDict()
        self._engine: sa.Engine | None = None
        self._reader: sa.Engine | None = None
        self._inode: tuple[int, int] | None = None
        self._was_open = False
        self._is_deaf = False
        self._version: int | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="labchat-read")

    def __repr__(self) -> str:
        return f"Log({self.url.render_as_string()!r})"

    @property
    def exists(self) -> bool:
        """Whether the database is there; one that is not is made when it is first used."""
        return file_of(self.url).exists()

    # ── asked from the event loop ──

    def submit(self, room: RoomKey, command: Command) -> asyncio.Future[Outcome]:
        """
        Have a command decided and stored.

        Returns
        -------
        asyncio.Future of Outcome
            Done when it is durable. Fails with `Refused` (a rule) or `StoreError` (the
            database); nothing is stored then, and the same command may be submitted again.
        """
        loop = asyncio.get_running_loop()
        return self._put(_Work(loop, loop.create_future(), room=room, command=command))

    def write(self, job: Callable[[sa.Connection, int], T]) -> asyncio.Future[T]:
        """Run `job(connection, now)` in the writer's next transaction; now: microseconds."""
        loop = asyncio.get_running_loop()
        return self._put(_Work(loop, loop.create_future(), job=job))

    async def read(self, job: Callable[[sa.Connection], T]) -> T:
        """Run `job(connection)` in a thread, on what is durable now."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, job)

    def listen(self, listener: Listener) -> None:
        """Call `listener`, in the running loop, with what is new in watched rooms."""
        self._listeners[asyncio.get_running_loop()] = listener

    def watch(self, room: RoomKey) -> None:
        """Hear of a room's commits, those of other processes too."""
        self._watched.add(room)

    def unwatch(self, room: RoomKey) -> None:
        """Hear no more of a room."""
        self._watched.discard(room)

    def close(self) -> None:
        """Store what waits, and stop the threads."""
        _logs.pop(self.url.render_as_string(hide_password=False), None)
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        self._readers.shutdown(wait=False)
        for engine in (self._engine, self._reader):
            if engine is not None:
                engine.dispose()

    def _put(self, work: _Work) -> asyncio.Future[Any]:
        if self._queue.qsize() >= WAITING:
            raise StoreError("store_busy", str(self.url), f"{WAITING} commands are waiting")
        self._queue.put(work)
        if self._thread is None:
            self._start()
        return work.done

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="labchat-write", daemon=True)
                self._thread.start()
                atexit.register(self.close)

    # ── the writer's thread ──

    def _run(self) -> None:
        heard = 0.0
        while (batch := self._take()) is not None:
            try:
                if batch:
                    self._commit(batch)
                if self._watched and time.monotonic() - heard >= POLL:
                    self._hear_others()
                    heard = time.monotonic()
            except Exception:
                logger.exception("the writer of %s failed and goes on", self.url)

    def _take(self) -> list[_Work] | None:
        batch: list[_Work] = []
        try:
            work = self._queue.get(timeout=POLL)
            while True:
                if work is None:
                    if batch:
                        self._queue.put(None)
                    return batch or None
                batch.append(work)
                if len(batch) >= BATCH:
                    return batch
                work = self._queue.get_nowait()
        except queue.Empty:
            return batch

    def _commit(self, batch: list[_Work]) -> None:
        news: list[Committed] = []
        try:
            news = self._transact(batch)
        except (OperationalError, OSError, StoreError) as exc:
            self._fail(batch, exc)
        except Exception as exc:
            if len(batch) > 1:  # somebody's odd command must not cost the others theirs
                for work in batch:
                    self._commit([work])
                return
            if isinstance(exc, SQLAlchemyError):
                self._fail(batch, exc)
            else:
                logger.exception("a command failed")
                batch[0].error = exc
        self._tell(batch, news)

    def _transact(self, batch: list[_Work]) -> list[Committed]:
        with self._writer().begin() as conn:
            now = time.time_ns() // 1000
            rooms = Batch(conn, self._heads, now)
            rooms.claim([(w.room, w.command) for w in batch if w.room and w.command])
            for work in batch:
                self._do(work, rooms, conn, now)
            rooms.store()
        self._remember(rooms.heads)
        return [
            Committed(key, tuple(events), rooms.heads[key].state)
            for key, events in rooms.news.items()
        ]

    def _do(self, work: _Work, rooms: Batch, conn: sa.Connection, now: int) -> None:
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

    def _remember(self, heads: dict[RoomKey, Head]) -> None:
        for key, head in heads.items():
            self._heads[key] = head
            self._heads.move_to_end(key)
        while len(self._heads) > HEADS + len(self._watched):
            self._heads.popitem(last=False)

    def _fail(self, batch: Iterable[_Work], exc: BaseException) -> None:
        error = store_error(self.url, exc)
        logger.error("nothing could be stored: %s", error)
        for work in batch:
            work.error = error
        self._forget()

    def _forget(self) -> None:
        """Start afresh with the next batch: new connections, and states read again."""
        for engine in (self._engine, self._reader):
            if engine is not None:
                engine.dispose()
        self._engine = self._reader = self._inode = self._version = None
        self._heads.clear()

    def _tell(self, batch: Iterable[_Work], news: list[Committed]) -> None:
        waiting: dict[asyncio.AbstractEventLoop, list[_Work]] = {}
        for work in batch:
            waiting.setdefault(work.loop, []).append(work)
        heard = [item for item in news if item.room in self._watched]
        for loop in {*waiting, *(self._listeners if heard else ())}:
            try:
                loop.call_soon_threadsafe(self._deliver, loop, waiting.get(loop, ()), heard)
            except RuntimeError:  # that loop has closed: nobody there waits any more
                self._listeners.pop(loop, None)

    def _deliver(
        self, loop: asyncio.AbstractEventLoop, works: Iterable[_Work], news: list[Committed]
    ) -> None:
        for work in works:
            if work.done.cancelled():
                continue
            if work.error is not None:
                work.done.set_exception(work.error)
            else:
                work.done.set_result(work.result)
        if news and loop in self._listeners:
            self._listeners[loop](news)

    def _hear_others(self) -> None:
        """Announce what other processes have committed; costs 5 µs where there is nothing."""
        try:
            with self._writer().connect() as conn:
                raw = conn.connection.driver_connection
                assert raw is not None
                version: int = raw.execute("PRAGMA data_version").fetchone()[0]
            if version == self._version:
                return
            self._tell([], self._missed())
            self._version = version
            self._is_deaf = False
        except (SQLAlchemyError, OSError, StoreError) as exc:
            if not self._is_deaf:  # once, not twenty times a second
                logger.error("others' commits cannot be heard: %s", store_error(self.url, exc))
            self._is_deaf = True
            self._forget()

    def _missed(self) -> list[Committed]:
        news: list[Committed] = []
        with self._writer().begin() as conn:
            rooms = Batch(conn, self._heads, 0)
            rooms.catch_up(sorted(self._watched))
            news = [Committed(k, tuple(e), rooms.heads[k].state) for k, e in rooms.news.items()]
        self._remember(rooms.heads)
        return news

    # ── connections ──

    def _writer(self) -> sa.Engine:
        with self._lock:
            if self._engine is not None and self._inode != self._file():
                logger.error("the database %s was replaced or has gone", file_of(self.url))
                self._forget()
            if self._engine is None:
                self._open()
            assert self._engine is not None
            return self._engine

    def _open(self) -> None:
        path = file_of(self.url)
        is_new = not path.exists()
        if is_new and self._was_open:
            raise FileNotFoundError(f"{path} has gone")
        engine = connect(self.url, write=True)
        try:
            upgrade(engine)
            with engine.begin() as conn:
                _tokens.forget_expired(conn, time.time_ns() // 1000)
        except BaseException:
            engine.dispose()
            raise
        self._engine = engine
        self._reader = connect(self.url, write=False)
        self._inode = self._file()
        self._was_open = True
        logger.info("the record is %s %s", "made in" if is_new else "in", path)

    def _file(self) -> tuple[int, int] | None:
        try:
            found = os.stat(file_of(self.url))
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _read(self, job: Callable[[sa.Connection], T]) -> T:
        try:
            self._writer()
            reader = self._reader
            assert reader is not None
            with reader.begin() as conn:
                return job(conn)
        except (SQLAlchemyError, OSError) as exc:
            raise store_error(self.url, exc) from exc
