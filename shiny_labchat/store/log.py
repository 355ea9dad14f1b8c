"""The log of a database: async access to the writer's and the readers' threads."""

from __future__ import annotations

import asyncio
import atexit
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from weakref import WeakSet

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from shiny_labchat import metrics
from shiny_labchat.bus import Bus
from shiny_labchat.domain.commands import Command, StudyCommand, Withdraw
from shiny_labchat.domain.decide import MoreLogs
from shiny_labchat.domain.events import LogKey
from shiny_labchat.store.batch import Outcome, StudyOutcome
from shiny_labchat.store.choosing import is_in_file, ledger_of, place_of
from shiny_labchat.store.database import PASSING, Database
from shiny_labchat.store.engine import Cleaned, CleanHow
from shiny_labchat.store.ledger import Ledger
from shiny_labchat.store.others import POLL
from shiny_labchat.store.reach import Reach, logs_with_numbers, look_for
from shiny_labchat.store.sqlite import READERS, file_of
from shiny_labchat.store.sqlite_file import note_inherited
from shiny_labchat.store.telling import Listeners
from shiny_labchat.store.work import Committed, Listener, Work
from shiny_labchat.store.writer import PATIENCE_TO_CLEAN, Writer

__all__ = ["Log"]

T = TypeVar("T")

POLL_WITH_BUS = 1.0
"""How often it looks for commits of others while a bus says when it is time to, in seconds."""


class Log:
    """
    The rooms of a database, and the only way to change them; one per database and process.

    Parameters
    ----------
    url
        The database.

    Attributes
    ----------
    ledger
        The ledger of those who have withdrawn, outside the database.
    bus
        What tells other processes of new events, and hears of theirs; None: there is none, and
        the database is looked at often.
    """

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self.is_closed = False
        self.ledger = Ledger(ledger_of(url))
        self.bus: Bus | None = None
        self._begin()
        _logs.add(self)

    def _begin(self) -> None:
        self._place = place_of(self.url)
        self._writer = Writer(self._place)
        self._writer.committed = self._ring
        self._database = Database(self._place, write=False)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="labchat-read")

    @property
    def _listeners(self) -> Listeners:
        return self._writer.listeners

    def __repr__(self) -> str:
        return f"Log({self.url.render_as_string()!r})"

    @property
    def exists(self) -> bool:
        """
        Whether the database exists; if not, it is made when it is first used.

        One on a server counts as there: whoever has named it has made it. Its tables are made when
        it is first used.
        """
        return not is_in_file(self.url) or file_of(self.url).exists()

    @property
    def is_shared(self) -> bool:
        """Whether other processes may write to the database: one on a server, or one that has a
        bus, or a file that others have written to since this process has it open."""
        return self.bus is not None or not is_in_file(self.url) or self._writer.others.are_any

    @property
    def is_writing(self) -> bool:
        """Whether anything was submitted or watched yet."""
        return self._writer.is_started

    @property
    def waiting(self) -> int:
        """How many commands and jobs wait to be stored."""
        return self._writer.waiting

    def submit(self, room: LogKey, command: Command) -> asyncio.Future[Outcome]:
        """
        Have a command decided and stored.

        Returns
        -------
        asyncio.Future of Outcome
            Done when its events are on disk. Fails with `Refused` (a rule) or `StoreError` (the
            database): then nothing is stored, and the same command may be submitted again.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Outcome] = loop.create_future()
        self._writer.put(Work(loop, _settle(done), (room,), command, raises=True))
        return done

    async def submit_together(self, command: StudyCommand) -> StudyOutcome:
        """
        Have a command to several logs decided and stored, all or nothing.

        Raises
        ------
        Refused
            A rule does not allow it.
        StoreError
            The database could not store it.
        """
        while True:
            try:
                return await self._submit_together(command)
            except MoreLogs as exc:  # what its sender knew has changed since
                also = (*command.also, *exc.logs)
                command = replace(command, also=also)

    def _submit_together(self, command: StudyCommand) -> asyncio.Future[StudyOutcome]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[StudyOutcome] = loop.create_future()
        self._writer.put(Work(loop, _settle(done), command.logs, command, raises=True))
        return done

    async def withdraw(self, command: Withdraw) -> StudyOutcome:
        """
        Have somebody withdrawn: what there is of them is searched, then rewritten, all or nothing.

        Raises
        ------
        Refused
            The rule does not allow it.
        StoreError
            The database could not store it.
        """
        look = partial(look_for, study=command.study, person=command.person, quotes=command.quotes)
        reach = await self.read(look)
        keys = await self.read(lambda conn: logs_with_numbers(conn, reach.rows))
        also = dict.fromkeys((*command.also, *keys))
        command = replace(command, also=tuple(key for key in also if key != command.logs[0]))
        while True:
            try:
                return await self._put_withdrawal(command, reach)
            except MoreLogs as exc:  # there is something of them elsewhere by now
                command = replace(command, also=(*command.also, *exc.logs))

    def _put_withdrawal(self, command: Withdraw, reach: Reach) -> asyncio.Future[StudyOutcome]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[StudyOutcome] = loop.create_future()
        work = Work(loop, _settle(done), command.logs, command, raises=True, reach=reach)
        self._writer.put(work)
        return done

    def clean(self, how: CleanHow = "small") -> asyncio.Future[Cleaned]:
        """
        Take away from the files what was deleted, after all that was submitted before.

        A server does it beside the writer, which goes on meanwhile.
        """
        if not is_in_file(self.url):
            return asyncio.ensure_future(self._clean_beside(how))
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Cleaned] = loop.create_future()
        self._writer.put(Work(loop, _settle(done), raises=True, clean=how))
        return done

    async def _clean_beside(self, how: CleanHow) -> Cleaned:
        await self.settled()
        return await self.read(lambda conn: self._place.clean(conn, how, PATIENCE_TO_CLEAN))

    def put(
        self,
        room: LogKey,
        command: Command,
        tell: Callable[[Outcome | None, BaseException | None], None],
    ) -> None:
        """Like :meth:`submit`, but call ``tell(outcome, error)`` when it is done."""
        self._writer.put(Work(asyncio.get_running_loop(), tell, (room,), command))

    def write(
        self, job: Callable[[sa.Connection, int], T], *, keeps_books: bool = True
    ) -> asyncio.Future[T]:
        """
        Run `job(connection, now)` in the next transaction; now: microseconds (UTC).

        It comes before commands that were submitted earlier if their rooms have to be read first.

        Parameters
        ----------
        job
            What is run; a failure undoes what it has written.
        keeps_books
            Whether no other process may run one meanwhile; False: it claims the rows that it
            writes by itself, and others need not wait.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        work = Work(loop, _settle(done), job=job, raises=True, keeps_books=keeps_books)
        self._writer.put(work)
        return done

    def settled(self) -> asyncio.Future[None]:
        """Done when everything that was submitted before is stored or refused."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._writer.put(Work(loop, _settle(done), job=_nothing, raises=True, is_last=True))
        return done

    def serve(self) -> None:
        """Note that this process serves pages of the lab, so that reading makes the file, too."""
        self._database.makes = True

    async def read(self, job: Callable[[sa.Connection], T], *, patience: float = PASSING) -> T:
        """
        Run `job(connection)` in a reader's thread, on what is on disk now.

        It makes no file, unless this process serves pages: who reads from a file that is not there
        has most likely mistyped its name.

        Parameters
        ----------
        job
            What reads. It may be run again, if the database has failed meanwhile.
        patience
            How long it is tried after an error that may pass at once, in seconds.

        Raises
        ------
        StoreError
            The database could not be read; "store_missing": there is none.
        """
        read = partial(self._read, job, patience)
        return await asyncio.get_running_loop().run_in_executor(self._readers, read)

    def read_now(self, job: Callable[[sa.Connection], T]) -> T:
        """Run `job(connection)` in this thread, which blocks the event loop. See :meth:`read`."""
        return self._read(job, 0.0)

    def _read(self, job: Callable[[sa.Connection], T], patience: float) -> T:
        try:
            return self._database.read(job, patience)
        except (SQLAlchemyError, OSError) as exc:
            raise self._place.error_of(exc) from exc

    def listen(self, listener: Listener) -> None:
        """Call `listener`, in the running loop, with new events of watched rooms."""
        self._listeners.listening[asyncio.get_running_loop()] = listener

    def overhear(self, listener: Listener) -> Callable[[], None]:
        """
        Call `listener` with new events of any room; return a function that ends this.

        It is called in the running loop. When another process has written, it is called with an
        empty list: the new events are in the log.
        """
        loop = asyncio.get_running_loop()
        self._listeners.overhearing[loop] = listener
        if self.bus is not None:
            self.bus.want_bells(None)
        self._begin_to_listen()

        def end() -> None:
            if self._listeners.overhearing.get(loop) == listener:
                del self._listeners.overhearing[loop]
            if self.bus is not None and not self._listeners.overhearing:
                self.bus.want_no_bells(None)

        return end

    def watch(self, room: LogKey) -> None:
        """Tell the listeners of a room's new events, also of those by other processes."""
        self._listeners.watched[room] += 1
        if self.bus is not None:
            self.bus.want_bells(room)
        self._begin_to_listen()

    def _begin_to_listen(self) -> None:
        self._writer.start()
        if self.bus is not None:
            self.bus.start()

    def unwatch(self, room: LogKey) -> None:
        """Undo one `watch` of a room."""
        self._listeners.watched[room] -= 1
        if self._listeners.watched[room] <= 0:
            del self._listeners.watched[room]
            if self.bus is not None:
                self.bus.want_no_bells(room)

    # ── a bus ──

    def use_bus(self, bus: Bus) -> None:
        """Tell other processes of new events over a bus, and look at theirs when it says so."""
        self.bus = bus
        bus.attach(self._look, self._set_pace)
        for room in tuple(self._listeners.watched):
            bus.want_bells(room)
        if self._listeners.overhearing:
            bus.want_bells(None)

    def _ring(self, news: list[Committed]) -> None:
        if self.bus is not None:
            self.bus.ring({item.log: item.state.seq for item in news})

    def _look(self, rooms: Mapping[LogKey, int]) -> None:
        """Look for events of others in those of these rooms that anybody follows; of none: any."""
        watched = self._listeners.watched
        wanted = {key: seq for key, seq in rooms.items() if key in watched}
        if wanted or self._listeners.overhearing or not rooms:
            self._writer.look(wanted if rooms else None)

    def _set_pace(self, is_up: bool) -> None:
        self._writer.others.poll = POLL_WITH_BUS if is_up else POLL
        self._writer.look()  # bells that were rung meanwhile were not heard

    def close(self) -> None:
        """Store all waiting commands, and stop the threads."""
        atexit.unregister(self.close)
        self.is_closed = True
        self._writer.close()
        if self.bus is not None:
            self.bus.close()
            self._writer.close()  # the bus may have written meanwhile, what its lab is called
        self._readers.shutdown(wait=False)
        self._database.forget()

    # ── a fork of the process ──

    def begin_in_child(self) -> None:
        """
        Begin again in a process that was forked from this one: it has none of its threads.

        What was waiting is stored by the parent. Its connections must not be closed here.
        """
        if is_in_file(self.url) and (self._writer.is_open or self._database.is_open):
            note_inherited(self.url)
        _of_parent.append((self._writer, self._database, self._readers))
        makes = self._database.makes
        self._begin()
        self._database.makes = makes


_logs: WeakSet[Log] = WeakSet()
_of_parent: list[object] = []
"""What must never be closed in this process."""


metrics.observe_queue(lambda: sum(log.waiting for log in tuple(_logs)))


def _begin_in_child() -> None:
    for log in tuple(_logs):
        log.begin_in_child()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_begin_in_child)


def _nothing(conn: sa.Connection, now: int) -> None:
    """The job of who only waits for the others."""


def _settle(done: asyncio.Future[Any]) -> Callable[[Any, BaseException | None], None]:
    def tell(result: Any, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)

    return tell
