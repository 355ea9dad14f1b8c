"""The log of a database: what the event loop asks of the writer's and the readers' threads."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from shiny_labchat.domain.commands import Command
from shiny_labchat.domain.events import RoomKey
from shiny_labchat.store.batch import Outcome
from shiny_labchat.store.database import Database, File
from shiny_labchat.store.sqlite import READERS, file_of, store_error
from shiny_labchat.store.writer import Listener, Work, Writer

__all__ = ["Log"]

T = TypeVar("T")


class Log:
    """
    A database's rooms, and the only way to change them; one for each database in a process.

    Parameters
    ----------
    url
        The database.
    """

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self.is_closed = False
        file = File(url)
        self._writer = Writer(file)
        self._database = Database(file, write=False)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="labchat-read")

    def __repr__(self) -> str:
        return f"Log({self.url.render_as_string()!r})"

    @property
    def exists(self) -> bool:
        """Whether the database is there; one that is not is made when it is first used."""
        return file_of(self.url).exists()

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
        done: asyncio.Future[Outcome] = loop.create_future()
        self._writer.put(Work(loop, _settle(done), room=room, command=command))
        return done

    def put(
        self,
        room: RoomKey,
        command: Command,
        tell: Callable[[Outcome | None, BaseException | None], None],
    ) -> None:
        """Like :meth:`submit`, but ``tell(outcome, error)`` is called in the end."""
        self._writer.put(Work(asyncio.get_running_loop(), tell, room=room, command=command))

    def write(self, job: Callable[[sa.Connection, int], T]) -> asyncio.Future[T]:
        """Run `job(connection, now)` in the writer's next transaction; now: microseconds."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._writer.put(Work(loop, _settle(done), job=job))
        return done

    async def read(self, job: Callable[[sa.Connection], T]) -> T:
        """Run `job(connection)` in a thread, on what is durable now."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, job)

    def read_now(self, job: Callable[[sa.Connection], T]) -> T:
        """Run `job(connection)` here; the event loop waits for it. See :meth:`read`."""
        return self._read(job)

    def _read(self, job: Callable[[sa.Connection], T]) -> T:
        try:
            with self._database.engine().begin() as conn:
                return job(conn)
        except (SQLAlchemyError, OSError) as exc:
            self._database.forget()
            raise store_error(self.url, exc) from exc

    def listen(self, listener: Listener) -> None:
        """Call `listener`, in the running loop, with what is new in watched rooms."""
        self._writer.listeners[asyncio.get_running_loop()] = listener

    def overhear(self, listener: Listener) -> Callable[[], None]:
        """
        Call `listener` with what is new in any room; returns what ends that.

        It is called in the running loop; with nothing, when another process has written: the log
        has it.
        """
        loop = asyncio.get_running_loop()
        self._writer.overhearing[loop] = listener
        self._writer.start()

        def end() -> None:
            if self._writer.overhearing.get(loop) == listener:
                del self._writer.overhearing[loop]

        return end

    def watch(self, room: RoomKey) -> None:
        """Hear of a room's commits, those of other processes too."""
        self._writer.watched[room] += 1
        self._writer.start()

    def unwatch(self, room: RoomKey) -> None:
        """Hear no more of a room."""
        self._writer.watched[room] -= 1
        if self._writer.watched[room] <= 0:
            del self._writer.watched[room]

    def close(self) -> None:
        """Store what waits, and stop the threads."""
        atexit.unregister(self.close)
        self.is_closed = True
        self._writer.close()
        self._readers.shutdown(wait=False)
        self._database.forget()


def _settle(done: asyncio.Future[Any]) -> Callable[[Any, BaseException | None], None]:
    def tell(result: Any, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)

    return tell
