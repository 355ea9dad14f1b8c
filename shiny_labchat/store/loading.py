"""Reading the heads of rooms beside the writer, so that nobody waits for a room that is large."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from shiny_labchat.domain.events import LogKey
from shiny_labchat.store.database import Database
from shiny_labchat.store.heads import Head, Heads, load_head
from shiny_labchat.store.work import Work

__all__ = ["HeadLoader", "Loaded"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """
    A room that was read: its head (None: there is no such room), or why it could not be read.

    `opening` says of which opening of the database it is.
    """

    key: LogKey
    opening: int
    head: Head | None = None
    error: Exception | None = None


class HeadLoader:
    """
    Reads rooms in a thread, one after the other, and keeps the work that waits for them.

    All of it but the reading itself happens in the writer's thread.

    Parameters
    ----------
    heads
        The heads that are known.
    readers
        The database, as it is opened to be read.
    put
        Called in the loader's thread with a room that was read, or with work that was put off.

    Attributes
    ----------
    waiting
        How much work waits for rooms.
    """

    def __init__(
        self, heads: Heads, readers: Database, put: Callable[[Loaded | Work], None]
    ) -> None:
        self.waiting = 0
        self._heads = heads
        self._readers = readers
        self._put = put
        self._opening = 0
        self._loading: dict[LogKey, list[Work]] = {}
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no room is being read."""
        return not self._loading

    def is_loading(self, key: LogKey) -> bool:
        """Whether a room is being read: what has happened to it since may be missing."""
        return key in self._loading

    def must_wait(self, work: Work) -> bool:
        """
        Whether work must wait; if so, `take` will give it, or `put` is called with it.

        A command waits until its logs' heads are known, after all earlier ones for that log.
        """
        if not work.logs:
            if work.is_last and self._loading:  # the thread will have read all logs before
                self._do(partial(self._put, work))
                return True
            return False
        unknown = next((key for key in work.logs if self._is_unknown(key, work)), None)
        if unknown is None:
            return False
        self.load(unknown)
        self._loading[unknown].append(work)
        self.waiting += 1
        return True

    def _is_unknown(self, key: LogKey, work: Work) -> bool:
        if key in self._loading:
            return True
        return self._heads.get(key) is None and key not in work.missing

    def load(self, key: LogKey) -> None:
        """Have a room read, unless that is under way."""
        if key not in self._loading:
            self._loading[key] = []
            self._do(partial(self._load, key, self._opening))

    def take(self, loaded: Loaded) -> list[Work] | None:
        """
        Keep the head that was read, unless a newer one is known; give the work that waits for it.

        Work that waits for another log, too, goes on waiting. None: what was read may be of another
        database; it is read again.
        """
        if loaded.opening != self._opening:
            self._do(partial(self._load, loaded.key, self._opening))
            return None
        if loaded.head is not None and self._heads.get(loaded.key) is None:
            self._heads.keep(loaded.key, loaded.head)
        works = self._loading.pop(loaded.key)
        self.waiting -= len(works)
        if loaded.error is not None:
            return works
        for work in works:
            work.missing |= {loaded.key}
        return [work for work in works if not self.must_wait(work)]

    def reopened(self) -> None:
        """Note that the database was opened again: what is being read may be of another one."""
        self._opening += 1

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    # ── the thread ──

    def _do(self, what: Callable[[], None]) -> None:
        self._queue.put(what)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="labchat-heads", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while (what := self._queue.get()) is not None:
            what()

    def _load(self, key: LogKey, opening: int) -> None:
        try:
            head = self._readers.read(partial(load_head, key=key))
            loaded = Loaded(key, opening, head)
        except Exception as exc:
            loaded = Loaded(key, opening, error=exc)
        self._put(loaded)
