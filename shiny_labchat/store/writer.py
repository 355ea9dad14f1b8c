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
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, SQLAlchemyError

from shiny_labchat import metrics
from shiny_labchat.domain.commands import EndStream, OfStudy, Post, Withdraw
from shiny_labchat.domain.decide import MoreLogs
from shiny_labchat.domain.events import LogKey
from shiny_labchat.errors import Refused, StoreError
from shiny_labchat.store import tokens
from shiny_labchat.store.batch import Batch, Stale
from shiny_labchat.store.database import PASSING, PASSING_PAUSE, Database
from shiny_labchat.store.engine import CleanHow, Place
from shiny_labchat.store.heads import Heads
from shiny_labchat.store.hearing import Heard, Hearing
from shiny_labchat.store.loading import HeadLoader, Loaded
from shiny_labchat.store.sqlite import BUSY_RETRY_DELAY
from shiny_labchat.store.work import Committed, Job, Listener, Work

__all__ = ["Writer"]

logger = logging.getLogger("shiny_labchat")

ROOMS_NAMED = 10
"""Most rooms that one line of the log names."""
BATCH = 1_000
"""Most commands in one transaction."""
WAITING = 20_000
"""Most commands that may wait; a further one fails with ``store_busy``."""
POLL = 0.05
"""How often the writer looks for commits of other processes, in seconds."""
LOOK_PAUSE = 0.01
"""Shortest time between two looks that a bus asks for, in seconds."""
BUSY = 0.45
"""How much longer than `POLL` it waits if it has commands of its own, in seconds."""
PAUSE_FOR_OTHERS = 2 * BUSY_RETRY_DELAY
"""Pause between two commits while other processes write, so that they can, in seconds."""
OTHERS_ACTIVE_FOR = 1.0
"""How long after a commit of theirs other processes count as writing, in seconds."""
RING_PAUSE = 1.0
"""
Pause between two calls of those who overhear other processes, where the database does not say
whether these have written anything but events, in seconds.
"""
TIDY = 60.0
"""Pause after which expired tokens are deleted again, once none is left, in seconds."""
TIDY_PAUSE = 0.1
"""Pause between two transactions that delete some of them, in seconds: others have it to write."""
LISTEN_RETRY_DELAY = 1.0
"""Pause before it looks for others' commits again after that failed, in seconds."""


GONE_FOR = 600.0
"""
How long after somebody has withdrawn commands in their name are refused, which were on their way,
in seconds. Somebody else may get an id that the app itself has chosen.
"""
PATIENCE_TO_CLEAN = 0.5
"""How long it waits for others when it takes away what was deleted, in seconds; then it is said."""


class Writer:
    """
    Writes one database.

    Parameters
    ----------
    place
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
    poll
        How often it looks for commits of other processes, in seconds.
    committed
        Called in its thread with what it has committed.
    are_others
        Whether other processes have written to it since this one has it open, as far as a file
        tells.
    """

    def __init__(self, place: Place) -> None:
        self.listeners: dict[asyncio.AbstractEventLoop, Listener] = {}
        self.overhearing: dict[asyncio.AbstractEventLoop, Listener] = {}
        self.watched: Counter[LogKey] = Counter()
        self.poll = POLL
        self.committed: Callable[[list[Committed]], None] = _nothing
        self._url = place.url
        self._place = place
        self._engine = place.engine
        self._database = Database(place, write=True)
        self._readers = Database(place, write=False)
        self._readers.makes = True
        self._conn: sa.Connection | None = None
        self._looking: sa.Connection | None = None
        self._queue: queue.SimpleQueue[Work | Loaded | Look | None] = queue.SimpleQueue()
        self._heads = Heads()
        self._hearing = Hearing(self._heads)
        self._loader = HeadLoader(self._heads, self._readers, self._queue.put)
        self._unheard: set[LogKey] = set()
        self._moved_on: set[LogKey] = set()
        self._is_closing = False
        self._opened_at = time.monotonic()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._version: int | None = None
        self._has_boot = False
        self._listen_at = 0.0
        self._ring_at = 0.0
        self._is_to_ring = False
        self._looked_at = 0.0
        self._must_look = False
        self._named: dict[LogKey, int] = {}
        self._are_all_named = False
        self._committed_at = 0.0
        self._took: float | None = None
        self.are_others = False
        self._others_at = -OTHERS_ACTIVE_FOR
        self._tidy_at = 0.0
        self._trouble = ""
        self._gone: dict[tuple[str, str | None], float] = {}

    @property
    def is_started(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None

    @property
    def waiting(self) -> int:
        """How much work waits for a transaction, or for a room that is read first."""
        return self._queue.qsize() + self._loader.waiting

    @property
    def is_open(self) -> bool:
        """Whether it may have connections to the database."""
        return self._database.is_open or self._readers.is_open

    def put(self, work: Work) -> None:
        """
        Queue work for one of the next transactions.

        Raises
        ------
        StoreError
            ``store_busy``: `WAITING` commands wait already.
        """
        if self.waiting >= WAITING:
            raise StoreError("store_busy", str(self._url), f"{WAITING} commands are waiting")
        self._queue.put(work)
        if self._thread is None:
            self.start()

    def look(self, rooms: Mapping[LogKey, int] | None = None) -> None:
        """
        Look soon for commits of other processes: there are some.

        They are in these rooms, up to these seqs at least; None: in any.
        """
        with self._lock:
            self._named.update(rooms or {})
            self._are_all_named = self._are_all_named or rooms is None
            is_first, self._must_look = not self._must_look, True
        if is_first:
            self._queue.put(Look())

    def _take_named(self) -> Mapping[LogKey, int] | None:
        """The rooms that `look` was called with; None: any."""
        with self._lock:
            named, self._named = self._named, {}
            are_all, self._are_all_named = self._are_all_named or not self._must_look, False
            self._must_look = False
        return None if are_all else named

    def start(self) -> None:
        """Start the thread, unless it runs already."""
        with self._lock:
            if self._thread is None:
                self._is_closing = False
                self._thread = threading.Thread(target=self._run, name="labchat-write", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Store all waiting commands, and stop."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        self._loader.close()
        self._forget()

    # ── the thread ──

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            try:
                batch = self._sort(taken)
                for some in _parts(batch):
                    self._commit(some)
                if self._conn is not None:
                    self._place.keep_short(self._conn)
                listens = self.watched or self.overhearing
                if self._conn is not None and time.monotonic() >= self._tidy_at:
                    self._tidy()
                if listens and time.monotonic() >= self._next_look(is_busy=bool(batch)):
                    self._hear_others()
                self._must_look = self._must_look and bool(listens)
            except Exception:
                logger.exception("the writer of %s failed and goes on", self._url)

    def _take(self) -> list[Work | Loaded] | None:
        """What is in the queue; None: it was closed, and nothing waits any more."""
        if self._is_closing and self._loader.is_idle and self._queue.empty():
            return None
        taken: list[Work | Loaded] = []
        try:
            item = self._queue.get(timeout=self._pause())
            while True:
                if item is None:
                    self._is_closing = True
                elif not isinstance(item, Look):
                    taken.append(item)
                if item is None or len(taken) >= BATCH:
                    return taken
                item = self._queue.get_nowait()
        except queue.Empty:
            return taken

    def _pause(self) -> float:
        """How long it waits for work."""
        if not self._must_look:
            return POLL
        return max(0.0, self._looked_at + LOOK_PAUSE - time.monotonic())

    def _next_look(self, *, is_busy: bool) -> float:
        """When it looks for commits of others."""
        if self._must_look:
            return self._looked_at + LOOK_PAUSE
        return self._listen_at + BUSY * is_busy

    def _sort(self, taken: list[Work | Loaded]) -> list[Work]:
        """The work that can be done now: the heads of its rooms are known."""
        batch: list[Work] = []
        for item in taken:
            if isinstance(item, Work):
                if not self._loader.must_wait(item):
                    batch.append(item)
                continue
            works = self._loader.take(item)
            if works is not None:
                batch += self._loaded(item, works)
        return batch

    def _loaded(self, loaded: Loaded, works: list[Work]) -> list[Work]:
        """Tell the followers of a room that was read; return the work that has waited for it."""
        if loaded.error is not None:
            self._fail(works, loaded.error)
            self._tell(works, [])
            return []
        self._unheard.discard(loaded.key)
        if loaded.key in self._moved_on:  # others have stored more since it was read
            self._moved_on.discard(loaded.key)
            self._hearing.hear_again(loaded.key)
            self.look()
        if loaded.head is not None:  # its followers may not have all of its events
            self._tell((), [Committed(loaded.key, (), loaded.head.state)])
        return works

    def _commit(self, batch: list[Work]) -> None:
        if batch[0].clean is not None:
            self._clean(batch[0], batch[0].clean)
            return
        news: list[Committed] = []
        began, self._took = time.perf_counter(), None
        try:
            news = self._store(batch)
        except (SQLAlchemyError, OSError, StoreError) as exc:
            if isinstance(exc, IntegrityError | DataError) and len(batch) > 1:
                self._commit_singly(batch)
                return
            code = self._fail(batch, exc)
            metrics.commit_failed(time.perf_counter() - began, code)
        except Exception as exc:
            if len(batch) > 1:
                self._commit_singly(batch)
                return
            if not isinstance(exc, Refused | MoreLogs):  # these two are answers, and undo it
                logger.exception("a command failed in room %r", _room_of(batch[0]))
            batch[0].error = exc
        self._tell(batch, news)
        if news:
            self.committed(news)
        if logger.isEnabledFor(logging.DEBUG):
            _log_stored(news)
        if self._took is not None:
            metrics.committed(self._took, sum(len(item.events) for item in news))

    def _commit_singly(self, batch: list[Work]) -> None:
        """Commit each command alone, so that one that fails does not affect the others."""
        for work in batch:
            self._commit([work])

    def _store(self, batch: list[Work]) -> list[Committed]:
        """Store a batch; again, if that was not careful enough, or what has failed may pass."""
        is_careful = False
        deadline = time.monotonic() + PASSING
        while True:
            try:
                return self._transact(batch, is_careful)
            except (IntegrityError, Stale):  # a retry, or another process wrote there
                if is_careful:
                    raise
            except (SQLAlchemyError, OSError) as exc:
                if not self._engine.is_passing(exc) or time.monotonic() > deadline:
                    raise
                self._forget()
                time.sleep(PASSING_PAUSE)
            is_careful = True

    def _transact(self, batch: list[Work], is_careful: bool = False) -> list[Committed]:
        conn = self._connect()
        self._give_way()
        began = time.perf_counter()
        with self._engine.transaction(conn):
            rewrites = batch[0].reach is not None
            is_careful = is_careful or rewrites
            if not self._has_boot:
                self._engine.note_boot(conn)
            keys = {key for work in batch for key in work.logs}
            version = self._engine.version_of(conn)
            if version is not None and version != self._version:
                self._note_others()
                self._others_at = time.monotonic()
                is_careful = is_careful or self._hearing.are_behind(conn, keys)
            open_for = round((time.monotonic() - self._opened_at) * 1e6)
            rooms = Batch(conn, self._heads, is_careful, open_for)
            rooms.claim(keys)
            keeps_books = any(map(_keeps_books, batch))
            now = self._engine.begin(conn, keeps_books=keeps_books, rewrites=rewrites)
            rooms.begin(now)
            for work in batch:
                self._do(work, rooms, conn, now)
            rooms.store()
        self._took = time.perf_counter() - began
        self._has_boot = True
        self._committed_at = time.monotonic()
        return self._remember(rooms)

    def _clean(self, work: Work, how: CleanHow) -> None:
        """Take away what was deleted; see `Cleaned`."""
        try:
            work.result = self._place.clean(self._connect(), how, PATIENCE_TO_CLEAN)
        except (SQLAlchemyError, OSError, StoreError) as exc:
            self._fail([work], exc)
        self._tell([work], [])

    def _give_way(self) -> None:
        """Pause if other processes write: without pauses they could hardly ever commit."""
        now = time.monotonic()
        if now < self._others_at + OTHERS_ACTIVE_FOR:
            time.sleep(max(0.0, self._committed_at + PAUSE_FOR_OTHERS - now))

    def _do(self, work: Work, rooms: Batch, conn: sa.Connection, now: int) -> None:
        work.result = work.error = None
        if self._gone and (gone := self._is_of_gone(work)) is not None:
            work.error = gone
            return
        if work.reach is not None:  # it is alone: whatever fails undoes all of it
            assert isinstance(work.command, Withdraw)
            work.result = rooms.withdraw(work.command, work.reach)
            return
        try:
            if work.job is not None:
                self._do_job(work, work.job, conn, now)
            elif isinstance(work.command, OfStudy):
                work.result = rooms.run_together(work.command)
            elif work.command is not None:
                work.result = rooms.run(work.logs[0], work.command)
        except OperationalError:
            raise
        except SQLAlchemyError as exc:
            is_moved = self._place.error_of(exc).code == "store_moved"
            if is_moved or not self._engine.is_in_transaction(conn):
                raise
            work.error = exc
        except Refused as exc:
            exc.room = _room_of(work)
            work.error = exc
        except Exception as exc:
            work.error = exc

    def _is_of_gone(self, work: Work) -> Refused | None:
        """Refuse what was on its way in the name of somebody who has withdrawn meanwhile."""
        if work.command is None or work.reach is not None:  # to withdraw twice is a repeat
            return None
        for id in (getattr(work.command, name, None) for name in ("member", "person")):
            if time.monotonic() < self._gone.get((work.logs[0].study, id), 0.0):
                return Refused("removed", member=id, room=_room_of(work))
        return None

    def _do_job(self, work: Work, job: Job, conn: sa.Connection, now: int) -> None:
        """Run a job; one that fails leaves nothing, and affects no other."""
        try:
            with self._engine.savepoint(conn):
                work.result = job(conn, now)
        except SQLAlchemyError as exc:
            if not self._engine.is_in_transaction(conn):
                raise
            work.error = self._place.error_of(exc)

    def _remember(self, rooms: Batch) -> list[Committed]:
        if rooms.gone is not None:
            self._gone[rooms.gone] = time.monotonic() + GONE_FOR
        for key, head in rooms.heads.items():
            self._heads.keep(key, head)
        return [Committed(k, tuple(e), rooms.heads[k].state) for k, e in rooms.news.items()]

    def _fail(self, batch: Collection[Work], exc: BaseException) -> str:
        """Give all of a batch an error; return its code."""
        error = self._place.error_of(exc)
        for work in batch:
            work.error = error
        if not all(work.raises for work in batch):
            logger.error(
                "a batch of commands (%s) was not stored, and their senders are told so: %s",
                *(_rooms_of(batch), error),
            )
        if error.code != "store_moved":  # then nothing is wrong with the connection
            self._forget()
        return error.code

    def _tell(self, batch: Iterable[Work], news: list[Committed]) -> None:
        waiting: dict[asyncio.AbstractEventLoop, list[Work]] = {}
        for work in batch:
            waiting.setdefault(work.loop, []).append(work)
        heard = [item for item in news if item.log in self.watched]
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
        for conn in (self._conn, self._looking):
            if conn is not None:  # a pool closes only what is not in use
                conn.invalidate()
                conn.close()
        self._conn = self._looking = None
        self._database.forget()
        self._readers.forget()

    # ── expired tokens ──

    def _tidy(self) -> None:
        """Delete some of the expired tokens, in a transaction of its own."""
        self._tidy_at = time.monotonic() + TIDY
        now = time.time_ns() // 1000
        try:
            with self._readers.engine().begin() as reading:
                if not tokens.are_expired(reading, now):
                    return
            conn = self._connect()
            with self._engine.transaction(conn):
                tokens.forget_expired(conn, now)
        except (SQLAlchemyError, OSError, StoreError):  # the next command says what it is
            self._forget()
        else:
            self._tidy_at = time.monotonic() + TIDY_PAUSE

    # ── other processes ──

    def _hear_others(self) -> None:
        """Announce what other processes have committed; takes 5 µs if there is nothing."""
        named = self._take_named()
        self._looked_at = time.monotonic()
        if named is not None and self._looked_at < self._listen_at and self._hear_of(named):
            return
        try:
            version = self._engine.version_of(self._connect())
            if version is None or version != self._version:
                self._note_others()
                heard = self._missed()
                if version is not None or heard.are_others:
                    self._ring()
                else:
                    self._ring_later(heard.is_moved)
                self._version = version
            self._listen_at = time.monotonic() + self.poll
            self._trouble = ""
        except (SQLAlchemyError, OSError, StoreError) as exc:
            trouble = f"cannot read other processes' commits, retrying: {self._place.error_of(exc)}"
            if trouble != self._trouble:
                logger.error(trouble)
            self._trouble = trouble
            self._forget()
            self._listen_at = time.monotonic() + LISTEN_RETRY_DELAY

    def _hear_of(self, named: Mapping[LogKey, int]) -> bool:
        """
        Announce what others have committed in rooms that they have named; False: look at all.

        Where a number says whether they have committed anything, that is as fast.
        """
        wanted = {key: seq for key, seq in named.items() if key in self.watched}
        try:
            if self._conn is None or self._engine.version_of(self._conn) is not None:
                return False
            heard = self._hearing.hear_of(self._look_with(), wanted)
        except (SQLAlchemyError, OSError, StoreError):
            self._forget()
            return False
        self._load_unknown(heard)
        self._tell((), heard.news)
        self._ring()
        return not heard.are_left

    def _look_with(self) -> sa.Connection:
        """A connection of the readers for single statements, which are no transactions."""
        engine = self._readers.engine()
        if self._looking is None or self._looking.engine is not engine:
            self._looking = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return self._looking

    def _ring_later(self, is_moved: bool) -> None:
        """Call those who overhear others soon, if these may have written something else."""
        if is_moved:
            self._is_to_ring = True
        if self._is_to_ring and time.monotonic() >= self._ring_at:
            self._ring()

    def _ring(self) -> None:
        self._ring_at = time.monotonic() + RING_PAUSE
        self._is_to_ring = False
        for loop, listener in tuple(self.overhearing.items()):
            self._call(loop, listener, [])

    def _missed(self) -> Heard:
        """Announce the news of all watched rooms."""
        with self._readers.engine().begin() as conn:
            heard = self._hearing.hear(conn, self.watched)
            self._load_unknown(heard)
            self._tell((), heard.news)  # they count as heard, also if the transaction cannot end
        return heard

    def _load_unknown(self, heard: Heard) -> None:
        """Have the rooms read of which nothing is known."""
        self._moved_on.update(filter(self._loader.is_loading, heard.unknown))
        self._unheard.update(heard.unknown)
        for key in self._unheard:
            self._loader.load(key)

    def _note_others(self) -> None:
        """Note that others have written, if it is not the first look of a connection."""
        self.are_others = self.are_others or self._version is not None

    def _connect(self) -> sa.Connection:
        engine = self._database.engine()
        if self._conn is None or engine is not self._conn.engine:
            with self._readers.engine().begin() as conn:
                self._hearing.open(conn)
            self._loader.reopened()
            self._conn = engine.connect()
            self._version = None  # it may be compared only within a connection
            self._has_boot = False
        return self._conn


def _keeps_books(work: Work) -> bool:
    """Whether it writes what is not of its own rooms, such as the checkpoints of all streams."""
    match work.command:
        case Post(is_live=True) | EndStream() | Withdraw():
            return True
        case _:
            return work.job is not None


class Look:
    """Has the writer look for commits of other processes."""


def _nothing(news: list[Committed]) -> None:
    """What is called while there is no bus."""


def _parts(batch: list[Work]) -> Iterator[list[Work]]:
    """The work in its order, in which what needs a transaction of its own is alone."""
    part: list[Work] = []
    for work in batch:
        if work.reach is None and work.clean is None:
            part.append(work)
            continue
        if part:
            yield part
        yield [work]
        part = []
    if part:
        yield part


def _log_stored(news: Iterable[Committed]) -> None:
    for each in news:
        events = ", ".join(f"{event.seq} ({event.kind})" for event in each.events)
        logger.debug(
            "stored in %s %r of study %r: %s", each.log.kind, each.log.id, each.log.study, events
        )


def _rooms_of(batch: Iterable[Work]) -> str:
    """The rooms that some work is for, for the log; only the first ones of many."""
    rooms = list(dict.fromkeys(room for work in batch if (room := _room_of(work)) is not None))
    named = ", ".join(map(repr, rooms[:ROOMS_NAMED]))
    more = f" and {len(rooms) - ROOMS_NAMED} more" if len(rooms) > ROOMS_NAMED else ""
    return f"rooms {named}{more}" if rooms else "of no room"


def _room_of(work: Work) -> str | None:
    """The id of the room that a command is for; None: it is for none, or not for a room alone."""
    return next((key.id for key in work.logs if key.kind == "room"), None)
