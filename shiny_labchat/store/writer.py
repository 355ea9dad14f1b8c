"""
The one writer: a thread that commits all waiting commands in one transaction.

So a busy server has one disk flush per batch, not per message (group commit). Nobody is told of a
batch before it is on disk.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, SQLAlchemyError

from shiny_labchat import metrics
from shiny_labchat.domain.commands import EndStream, OfStudy, Post, Retract, Withdraw
from shiny_labchat.domain.decide import MoreLogs
from shiny_labchat.domain.events import LogKey
from shiny_labchat.errors import Refused, StoreError
from shiny_labchat.store import tokens
from shiny_labchat.store.batch import Batch, Stale
from shiny_labchat.store.database import PASSING, PASSING_PAUSE, Database
from shiny_labchat.store.engine import CleanHow, Place
from shiny_labchat.store.heads import Heads
from shiny_labchat.store.loading import HeadLoader, Loaded
from shiny_labchat.store.others import Others
from shiny_labchat.store.sqlite import BUSY_RETRY_DELAY
from shiny_labchat.store.telling import Listeners
from shiny_labchat.store.work import Committed, Job, Work

__all__ = ["Writer"]

logger = logging.getLogger("shiny_labchat")

ROOMS_NAMED = 10
"""Most rooms that one line of the log names."""
BATCH = 1_000
"""Most commands in one transaction."""
WAITING = 20_000
"""Most commands that may wait; a further one fails with ``store_busy``."""
PAUSE_FOR_OTHERS = 2 * BUSY_RETRY_DELAY
"""Pause between two commits while other processes write, so that they can, in seconds."""
OTHERS_ACTIVE_FOR = 1.0
"""How long after a commit of theirs other processes count as writing, in seconds."""
TIDY = 60.0
"""Pause after which expired tokens are deleted again, once none is left, in seconds."""
TIDY_PAUSE = 0.1
"""Pause between two transactions that delete some of them, in seconds: others have it to write."""
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
        Those who are told of what was stored.
    others
        The other processes that write it.
    committed
        Called in its thread with what it has committed.
    """

    def __init__(self, place: Place) -> None:
        self.committed: Callable[[list[Committed]], None] = _nothing
        self._url = place.url
        self._place = place
        self._engine = place.engine
        self._database = Database(place, write=True)
        self._readers = Database(place, write=False)
        self._readers.makes = True
        self._conn: sa.Connection | None = None
        self._queue: queue.SimpleQueue[Work | Loaded | Look | None] = queue.SimpleQueue()
        self._heads = Heads()
        self._loader = HeadLoader(self._heads, self._readers, self._queue.put)
        self.listeners = Listeners()
        self.others = Others(
            *(place, self._readers, self._heads, self._loader, self.listeners),
            *(self._connect, self._forget),
        )
        self._is_closing = False
        self._opened_at = time.monotonic()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._has_boot = False
        self._committed_at = 0.0
        self._took: float | None = None
        self._tidy_at = 0.0
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
        if self._thread is None or self._lock.locked():  # it may end without having seen the work
            self.start()

    def look(self, rooms: Mapping[LogKey, int] | None = None) -> None:
        """
        Look soon for commits of other processes: there are some.

        They are in these rooms, up to these seqs at least; None: in any.
        """
        if self.others.look(rooms):
            self._queue.put(Look())

    def start(self) -> None:
        """Start the thread, unless it runs already."""
        with self._lock:
            if self._thread is None:
                self._is_closing = False
                self._thread = threading.Thread(target=self._run, name="labchat-write", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Store all waiting commands, and stop; what is put meanwhile has it start again."""
        with self._lock:
            if self._thread is not None:
                self._queue.put(None)
                self._thread.join()
            self._loader.close()
            self._forget()
            self._thread = None

    # ── the thread ──

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            try:
                batch = self._sort(taken)
                for some in _parts(batch):
                    self._commit(some)
                if self._conn is not None:
                    self._place.keep_short(self._conn)
                if self._conn is not None and time.monotonic() >= self._tidy_at:
                    self._tidy()
                self.others.hear_if_due(is_busy=bool(batch))
            except Exception:
                logger.exception("the writer of %s failed and goes on", self._url)

    def _take(self) -> list[Work | Loaded] | None:
        """What is in the queue; None: it was closed, and nothing waits any more."""
        if self._is_closing and self._loader.is_idle and self._queue.empty():
            return None
        taken: list[Work | Loaded] = []
        try:
            item = self._queue.get(timeout=self.others.pause())
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
            self.listeners.tell(works, [])
            return []
        if self.others.loaded(loaded):
            self.look()
        if loaded.head is not None:  # its followers may not have all of its events
            self.listeners.tell((), [Committed(loaded.key, (), loaded.head.state)])
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
        self.listeners.tell(batch, news)
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
            is_careful = self.others.have_written(conn, keys) or is_careful
            open_for = round((time.monotonic() - self._opened_at) * 1e6)
            rooms = Batch(conn, self._heads, is_careful, open_for)
            keeps_books = any(map(_keeps_books, batch))
            now = rooms.begin(keys, keeps_books=keeps_books, rewrites=rewrites)
            for work in batch:
                self._do(work, rooms, conn, now, is_alone=len(batch) == 1)
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
        self.listeners.tell([work], [])

    def _give_way(self) -> None:
        """Pause if other processes write: without pauses they could hardly ever commit."""
        now = time.monotonic()
        if now < self.others.wrote_at + OTHERS_ACTIVE_FOR:
            time.sleep(max(0.0, self._committed_at + PAUSE_FOR_OTHERS - now))

    def _do(
        self, work: Work, rooms: Batch, conn: sa.Connection, now: int, *, is_alone: bool
    ) -> None:
        work.result = work.error = None
        if self._gone and (gone := self._is_of_gone(work)) is not None:
            work.error = gone
            return
        # What is alone needs no savepoint: whatever fails undoes all of it.
        if work.reach is not None:
            assert isinstance(work.command, Withdraw)
            work.result = rooms.withdraw(work.command, work.reach)
            return
        if is_alone and work.job is not None and not work.keeps_books:
            work.result = work.job(conn, now)
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

    def _forget(self) -> None:
        if self._conn is not None:  # a pool closes only what is not in use
            self._conn.invalidate()
            self._conn.close()
        self._conn = None
        self.others.close()
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

    # ── the connection ──

    def _connect(self) -> sa.Connection:
        engine = self._database.engine()
        if self._conn is None or engine is not self._conn.engine:
            self.others.opened()
            self._conn = engine.connect()
            self._has_boot = False
        return self._conn


def _keeps_books(work: Work) -> bool:
    """Whether it writes what is not of its own rooms, such as the checkpoints of all streams."""
    match work.command:
        case Post(is_live=True) | EndStream() | Retract() | Withdraw():
            return True
        case _:
            return work.job is not None and work.keeps_books


class Look:
    """Has the writer look for commits of other processes."""


def _nothing(news: list[Committed]) -> None:
    """What is called while there is no bus."""


def _parts(batch: list[Work]) -> Iterator[list[Work]]:
    """The work in its order, in which what needs a transaction of its own is alone."""
    part: list[Work] = []
    for work in batch:
        if not work.is_alone:
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
