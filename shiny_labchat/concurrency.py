"""
Running code: the app's own, in the event loop or in threads; background tasks; further tries.

Whatever the app's code does, it ends neither the thread nor the task that it was called in.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from contextlib import contextmanager, suppress
from contextvars import Context, copy_context
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

__all__ = [
    "BLOCKED",
    "THREADS",
    "Queue",
    "Tasks",
    "contained",
    "home",
    "in_thread",
    "name_of",
    "retry",
    "text_of_error",
    "watched",
]

logger = logging.getLogger("shiny_labchat")

T = TypeVar("T")

BLOCKED = 0.25
"""What keeps the server from doing anything else for so long is logged, in seconds."""
THREADS = 100
"""Functions of an event loop that run in threads at the same time; one more waits for a thread."""


def name_of(fn: Callable[..., Any]) -> str:
    """Where a function is, for the log."""
    code = getattr(inspect.unwrap(fn), "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
    return f"{getattr(fn, '__qualname__', fn)!r}{where}"


def text_of_error(error: BaseException) -> str:
    """What an error says, to be stored; whatever its own code does, and however long that is."""
    text = "".join(traceback.format_exception_only(error)).strip()
    return text[:1000].encode("utf-8", "replace").decode().replace("\0", "")


@contextmanager
def contained() -> Generator[None]:
    """
    What is cancelled in here, as the app's own tasks are, does not end the running task.

    Raises
    ------
    RuntimeError
        It was cancelled, and the running task was not.
    """
    try:
        yield
    except asyncio.CancelledError as exc:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise RuntimeError("it waited for something that was cancelled") from exc


# ── in the event loop ────────────────────────────────────────────────────────────────────────


async def watched(kind: str, fn: Callable[..., Any], *args: Any) -> Any:
    """
    What a function gives, waited for if it is async; logged if it blocks. See `contained`.

    Parameters
    ----------
    kind
        What it is, such as "handler", for the log.
    fn, args
        The function, and what it takes.
    """

    def after(started: float) -> None:
        took = time.monotonic() - started
        if took > BLOCKED:
            logger.warning(
                "the %s %s blocked the whole server for %.1f s; "
                "await asyncio.to_thread(...) what takes long",
                kind,
                name_of(fn),
                took,
            )

    with contained():
        started = time.monotonic()
        result = fn(*args)
        after(started)
        return await _Steps(result, after) if inspect.isawaitable(result) else result


class _Steps:
    """Awaits something, and tells when each of its steps began, right after it."""

    def __init__(self, inner: Awaitable[Any], after: Callable[[float], None]) -> None:
        self._inner = inner
        self._after = after

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self._inner.__await__()
        value: Any = None
        error: BaseException | None = None
        while True:
            started = time.monotonic()
            try:
                step = inner.send(value) if error is None else inner.throw(error)
            except StopIteration as end:
                return end.value
            finally:
                self._after(started)
            value = error = None
            try:
                value = yield step
            except BaseException as exc:
                error = exc


# ── in threads ───────────────────────────────────────────────────────────────────────────────


async def in_thread(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """
    What a function gives that is not async, run in a thread, with the context variables of here.

    Not in an executor's: asyncio's own has so few that a handful of slow functions would keep
    everybody waiting, who looks up an address, too; and whoever ends the server would wait until
    all of them end by themselves. Who waits here no more, as a stream that was stopped, leaves
    its thread to itself, and it counts until it ends.

    Parameters
    ----------
    fn, args, kwargs
        The function, and what it takes.
    """
    loop = asyncio.get_running_loop()
    threads = _threads.get(loop)
    if threads is None:
        threads = _threads[loop] = _Threads()
    return await threads.run(fn, partial(copy_context().run, fn, *args, **kwargs))


def home() -> asyncio.AbstractEventLoop | None:
    """The event loop whose function this thread runs; None: it is not such a thread."""
    return getattr(_here, "home", None)


_here = threading.local()


class _Threads:
    """Those of one event loop."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(THREADS)
        self._is_short = False

    async def run(self, fn: Callable[..., Any], call: Callable[[], Any]) -> Any:
        if self._free.locked() and not self._is_short:
            logger.warning("%d threads are at work, %s waits for one", THREADS, name_of(fn))
        self._is_short = self._free.locked()
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()

        def end(result: Any, error: BaseException | None) -> None:
            self._free.release()
            if done.cancelled():
                if error is not None:
                    logger.error("%s failed, and nobody waits", name_of(fn), exc_info=error)
            elif error is None:
                done.set_result(result)
            else:
                done.set_exception(_as_exception(error))

        def work() -> None:
            _here.home = loop
            result, error = None, None
            try:
                result = call()
            except BaseException as exc:
                error = exc
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(end, result, error)

        try:
            threading.Thread(target=work, name="labchat-app", daemon=True).start()
        except BaseException:
            self._free.release()
            raise
        return await done


_threads: WeakKeyDictionary[asyncio.AbstractEventLoop, _Threads] = WeakKeyDictionary()


def _as_exception(error: BaseException) -> Exception:
    """Something that may pass through an event loop, and through a coroutine."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration | StopAsyncIteration):
        return error
    failed = RuntimeError(repr(error))
    failed.__cause__ = error
    return failed


# ── in the background ────────────────────────────────────────────────────────────────────────


class Tasks:
    """
    The background tasks of one owner.

    An event loop does not keep its tasks from being thrown away; this does, until they end.

    Parameters
    ----------
    whose
        The owner, for the log, such as "chat 'left'".
    """

    def __init__(self, whose: str) -> None:
        self._whose = whose
        self._running: set[asyncio.Future[Any]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def spawn(
        self, work: Coroutine[Any, Any, T], *, context: Context | None = None
    ) -> asyncio.Task[T]:
        """Start something whose failure nobody else hears of: it is logged."""
        task = asyncio.create_task(work, context=context)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def keep(self, task: asyncio.Future[T]) -> asyncio.Future[T]:
        """Keep a task that somebody else waits for, and hears the failure of."""
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def wait(self, seconds: float) -> None:
        """Wait until all have ended, but not longer than so many seconds."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    async def stop(self, seconds: float) -> None:
        """Cancel all, and wait until they have ended, but not longer than so many seconds."""
        for task in self._running:
            task.cancel()
        await self.wait(seconds)

    def _ended(self, task: asyncio.Future[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a background task of %s failed", self._whose, exc_info=error)


def retry(delays: Iterable[float]) -> AsyncIterator[bool]:
    """
    Count tries: ``async for is_last in retry(delays)``; leave the loop when one succeeds.

    Parameters
    ----------
    delays
        The pauses before the second try and each further one, in seconds.

    Yields
    ------
    bool
        Whether it is the last try.
    """
    return _Tries(iter(delays))


class _Tries:
    """An iterator, not a generator: one that is left in the middle needs no closing."""

    def __init__(self, delays: Iterator[float]) -> None:
        self._delays = delays
        self._next: float | None = 0.0

    def __aiter__(self) -> _Tries:
        return self

    async def __anext__(self) -> bool:
        if self._next is None:
            raise StopAsyncIteration
        if self._next:  # the first try is made at once
            await asyncio.sleep(self._next)
        self._next = next(self._delays, None)
        return self._next is None


Work = Callable[[], Coroutine[Any, Any, None]]


class Queue:
    """
    Work that is done in order, one piece at a time.

    Each piece is a task of its own: whatever becomes of it, and of the task, the next is done.
    Only who may put something into it can fill it.
    """

    def __init__(self) -> None:
        self._waiting: deque[Work] = deque()
        self._task: asyncio.Task[None] | None = None

    def put(self, work: Work) -> None:
        """Have something done after what is there already."""
        self._waiting.append(work)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def idle(self) -> None:
        """Wait until all is done."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while self._waiting:
            task = asyncio.create_task(self._waiting.popleft()())
            await asyncio.wait([task])
            if task.cancelled():
                logger.error("what became of a message was cancelled")
            elif (error := task.exception()) is not None:
                logger.error("what was to become of a message failed", exc_info=error)
