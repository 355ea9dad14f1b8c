"""
Persistent callbacks: functions called with every message, whether or not a page is open.

Others are called with other kinds of events, see `kinds`. Their cursors are in the database. The
scheduler has the functions, wakes their workers when there are events, and continues where another
process, or the one before this, has stopped.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import replace
from functools import partial
from itertools import repeat
from typing import Any

import sqlalchemy as sa

from shiny_labchat.arguments import as_id, check_function
from shiny_labchat.callbacks import cursors
from shiny_labchat.callbacks.kinds import KINDS, MESSAGES, Kind
from shiny_labchat.callbacks.moment_rows import register_moment
from shiny_labchat.callbacks.moments import MomentClock
from shiny_labchat.callbacks.registry import Callback, Registry, Timetable, own_name
from shiny_labchat.callbacks.skipping import Skip
from shiny_labchat.callbacks.worker import STORE_RETRY_DELAY, CallbackWorker, current_callback
from shiny_labchat.concurrency import Tasks, retry
from shiny_labchat.domain import commands
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.scope import Scope
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.triggers import is_for
from shiny_labchat.errors import LabChatError, StoreError
from shiny_labchat.store import Committed, Log, leases

__all__ = ["CallbackScheduler", "RoomOf", "signed"]

logger = logging.getLogger("shiny_labchat")

RoomOf = Callable[[LogKey, str], object]
"""Makes the `Room` for a callback: takes the room's key and the callback's name."""

POLL_INTERVAL = 0.25
"""Shortest time between two searches for what other processes have written, in seconds."""
POLL_CPU_SHARE = 0.05
"""Largest share of one processor that these searches may take."""
REGISTER_TIMEOUT = 5.0
"""How long a starting server waits until its callbacks are in the database, in seconds."""
STOP_TIMEOUT = 2.0
"""How long a stopping server waits until its callbacks have stopped, in seconds."""

_HEARD = frozenset[str]().union(*(kind.events for kind in KINDS))
_HEARD_IN = {kind.log for kind in KINDS}


class CallbackScheduler:
    """
    The callbacks of one log in this process.

    Parameters
    ----------
    log
        The log.
    room_of
        Makes the rooms that the functions take, see `RoomOf`.

    Attributes
    ----------
    is_over
        Whether it was stopped.
    """

    def __init__(self, log: Log, room_of: RoomOf) -> None:
        self.is_over = False
        self._log = log
        self._room_of = room_of
        self._owner = secrets.token_hex(8)
        self._registry = Registry()
        self._moments = MomentClock(log, self._registry)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._workers: dict[tuple[str, LogKey], CallbackWorker] = {}
        self._tasks = Tasks(f"the callbacks of {log!r}")
        self._registering = Tasks(f"the callbacks of {log!r}")
        self._keeping: asyncio.Task[None] | None = None
        self._rung = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._end: Callable[[], None] | None = None

    def register(
        self,
        scope: Scope,
        fn: Callable[..., Any],
        name: str | None,
        skip: Skip | None = None,
        kind: Kind = MESSAGES,
        timetable: Timetable | None = None,
    ) -> None:
        """
        Have a function called with every message in some rooms, or with another kind of events.

        Parameters
        ----------
        scope
            The rooms.
        fn
            The function; it takes what the kind says. One with the same name, for the same
            rooms, is replaced.
        name
            The callback's name; None: its script and its qualified name.
        skip
            Decides for which messages it is not called; None: it is called for all.
        kind
            What it is called with.
        timetable
            The moments of rooms' times at which it is called; None: there are none.
        """
        check_function("fn", fn, *kind.takes)
        name = kind.prefix + (own_name(fn) if name is None else as_id("name", name))
        callback = self._registry.add(name, scope, fn, skip, kind, timetable)
        if callback is None:
            return
        if self.is_started:
            assert self._loop is not None
            if self._loop is _running_loop():
                self._register_soon(callback)
            else:
                self._loop.call_soon_threadsafe(self._register_soon, callback)
        else:
            self.start()

    def has(self, kind: Kind, room: LogKey) -> bool:
        """Whether a room has a callback that is called with these."""
        return self._registry.has(kind, room)

    @property
    def is_started(self) -> bool:
        """Whether it has an event loop that is not closed."""
        return self._loop is not None and not self._loop.is_closed()

    def start(self) -> None:
        """Start in the running event loop, if there is one and it has not started in another."""
        loop = _running_loop()
        if loop is None or self.is_started:
            return
        self._loop = loop
        self.is_over = False
        self._workers.clear()
        self._tasks = Tasks(f"the callbacks of {self._log!r}")
        self._registering = Tasks(f"the callbacks of {self._log!r}")
        self._rung = asyncio.Event()
        self._timer = None
        self._end = self._log.overhear(self._hear)
        self._moments.start()
        for callback in self._registry:
            callback.since = None
            self._register_soon(callback)
        self._tasks.spawn(self._look_around(), context=Context())

    async def registered(self) -> None:
        """Wait until all callbacks are in the database, at most `REGISTER_TIMEOUT`."""
        await self._registering.wait(REGISTER_TIMEOUT)

    async def stop(self) -> None:
        """Stop, and release the leases for other processes; `start` begins again."""
        if self._loop is not _running_loop():
            return
        self.is_over = True
        if self._end is not None:
            self._end()
        if self._timer is not None:
            self._timer.cancel()
        await self._moments.stop(STOP_TIMEOUT)
        await self._registering.stop(STOP_TIMEOUT)
        await self._tasks.stop(STOP_TIMEOUT)
        await asyncio.wait([self._log.settled()], timeout=STOP_TIMEOUT)
        self._loop = None

    # ── registering ──

    def _register_soon(self, callback: Callback) -> None:
        """Register it in the database: at once, so that the next message comes after that."""
        try:
            asked = self._log.write(partial(_register, callback))
        except StoreError:
            asked = None
        self._registering.spawn(self._be_registered(callback, asked), context=Context())

    async def _be_registered(self, callback: Callback, asked: asyncio.Future[int] | None) -> None:
        async for _ in retry(repeat(STORE_RETRY_DELAY)):
            try:
                callback.since = await (asked or self._log.write(partial(_register, callback)))
                break
            except LabChatError as exc:
                logger.error(
                    "the callback %r could not be registered in the database; trying again: %s",
                    *(callback.name, exc),
                )
            asked = None
        self._rung.set()
        if callback.timetable is not None:
            self._moments.note()

    # ── hearing ──

    def _hear(self, news: Sequence[Committed]) -> None:
        self._moments.hear(news)
        if not news:  # another process has written
            self._rung.set()
        for committed in news:
            heard = [event for event in committed.events if event.kind in _HEARD]
            if not heard or committed.log.kind not in _HEARD_IN:
                continue
            state = committed.state if isinstance(committed.state, RoomState) else None
            for name, callback in self._registry.of_room(committed.log).items():
                own = (event for event in heard if callback.kind.may_be(event))
                if any(is_for(event, name) for event in own):
                    self._wake(callback, committed.log, state)

    def _wake(self, callback: Callback, room: LogKey, state: RoomState | None = None) -> None:
        if callback.since is None:
            return  # once it is in the database, all rooms are searched
        key = (callback.name, room)
        worker = self._workers.get(key)
        if worker is None:
            worker = self._workers[key] = self._worker_for(callback, room)
            self._tasks.spawn(self._run(key, worker), context=Context())
        worker.wake(state)
        if self._keeping is None or self._keeping.done():
            self._keeping = self._tasks.spawn(self._keep(), context=Context())

    def _worker_for(self, callback: Callback, room: LogKey) -> CallbackWorker:
        name = callback.name
        assert callback.since is not None
        cursor = cursors.Cursor(name, callback.since, room, self._owner, callback.kind)
        given, own = self._room_of(room, name), self._registry.of_room
        return CallbackWorker(self._log, cursor, lambda: own(room)[name], given, self._look_after)

    async def _run(self, key: tuple[str, LogKey], worker: CallbackWorker) -> None:
        try:
            await worker.run()
        except Exception:
            logger.exception(
                "the callback %r has stopped in room %r; it will be started again",
                *(key[0], key[1].id),
            )
            self._look_in(STORE_RETRY_DELAY)
        except asyncio.CancelledError:
            if not self.is_over:  # the callback cancelled its own task
                self._look_in(STORE_RETRY_DELAY)
            raise
        finally:
            if self._workers.get(key) is worker:
                del self._workers[key]

    async def _keep(self) -> None:
        """Renew the leases while any callback is at work."""
        while self._workers:
            await asyncio.sleep(leases.LEASE / 3e6)
            try:
                await self._log.write(self._renew)
            except LabChatError as exc:
                logger.error("the leases of callbacks could not be renewed; trying again: %s", exc)

    def _renew(self, conn: sa.Connection, now: int) -> None:
        cursors.renew(conn, leases.lease_time(conn), self._owner)

    # ── what other processes have written, and left ──

    async def _look_around(self) -> None:
        while True:
            await self._rung.wait()
            self._rung.clear()
            took = 0.0
            try:
                took = await self._wake_all()
            except LabChatError as exc:
                logger.error(
                    "callbacks cannot read what other processes wrote; trying again: %s", exc
                )
                self._look_in(STORE_RETRY_DELAY)
            await asyncio.sleep(max(POLL_INTERVAL, took / POLL_CPU_SHARE))

    async def _wake_all(self) -> float:
        """Wake the workers of waiting rooms; return the processor time of the search, in s."""
        known = (callback for callback in self._registry if callback.since is not None)
        kinds = {callback.name: callback.kind for callback in known}

        def look(
            conn: sa.Connection,
        ) -> tuple[list[tuple[str, list[cursors.Waiting]]], int, float]:
            started = time.thread_time()  # not wall time: the thread may have to wait for others
            found = [(name, cursors.waiting(conn, name, kind)) for name, kind in kinds.items()]
            return found, leases.lease_time(conn), time.thread_time() - started

        found, now, took = await self._log.read(look)
        if any(each.until > now + leases.LONGEST for _, waiting in found for each in waiting):
            await self._log.write(_shorten)
        for name, waiting in found:
            for each in waiting:
                callback = self._registry.of_room(each.room).get(name)
                if callback is None or callback.since is None:
                    continue
                if each.owner not in (None, self._owner) and each.until > now:
                    self._look_after(each.until - now)
                elif not each.is_new or each.number > callback.since:
                    self._wake(callback, each.room)
        return took

    def _look_after(self, left: int) -> None:
        """Search again when another process's lease is over, which lasts so many µs; or earlier."""
        self._look_in(min(left, leases.LEASE) / 1e6 + 0.01)

    def _look_in(self, seconds: float) -> None:
        assert self._loop is not None
        due = self._loop.time() + seconds
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer = None
        self._rung.set()


def _shorten(conn: sa.Connection, now: int) -> None:
    cursors.shorten(conn, leases.lease_time(conn))


def _register(callback: Callback, conn: sa.Connection, now: int) -> int:
    for moment in () if callback.timetable is None else callback.timetable.moments:
        of = callback.name, moment.name
        callback.times[moment.name] = register_moment(conn, now, *of, callback.scope)
    return cursors.register(conn, callback.name, callback.scope, callback.kind)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def signed(command: commands.Command, given: str | None) -> commands.Command:
    """
    A command; if it posts a message for a callback, with the callback's name as its cause.

    The name is that of the running callback, from the context variable. Where code runs without
    it, such as in an executor, the name is `given`: that of the callback whose `Room` is used.
    """
    name = current_callback.get() or given
    if name is None or not isinstance(command, commands.Post):
        return command
    return replace(command, cause=name)
