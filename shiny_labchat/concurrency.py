"""
Calls of the app's functions in threads; background tasks; retries.

Whatever the app's code does, it cannot end the thread or the task that called it.
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
    "THREADS",
    "UNHURRIED",
    "Queue",
    "Tasks",
    "contained",
    "first_of",
    "home",
    "in_thread",
    "name_of",
    "retry",
    "text_of_error",
    "unhurried",
]

logger = logging.getLogger("shiny_labchat")

T = TypeVar("T")

UNHURRIED = 50
"""Values that are worked on in a thread before it lets other threads run."""
THREADS = 100
"""Threads that one event loop may use at the same time; a further function waits for one."""


def name_of(fn: Callable[..., Any]) -> str:
    """A function's name, file and line, for the log."""
    code = getattr(inspect.unwrap(fn), "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
    return f"{getattr(fn, '__qualname__', fn)!r}{where}"


def text_of_error(error: BaseException) -> str:
    """The text of an error, to be stored: at most 1000 characters, even if its `__str__` raises."""
    text = "".join(traceback.format_exception_only(error)).strip()
    return text[:1000].encode("utf-8", "replace").decode().replace("\0", "")


@contextmanager
def contained() -> Generator[None]:
    """
    Keep the running task from ending because something that it waits for is cancelled.

    An app may cancel its own tasks.

    Raises
    ------
    RuntimeError
        What was waited for was cancelled; the running task was not.
    """
    try:
        yield
    except asyncio.CancelledError as exc:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise RuntimeError("it waited for something that was cancelled") from exc


# ── in threads ───────────────────────────────────────────────────────────────────────────────


async def in_thread(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """
    Run a function that is not async in a thread; return its result.

    The function sees the context variables of its caller. It gets a thread of its own. asyncio's
    default executor has so few threads that a handful of slow functions would delay everything
    else that uses it, such as DNS look-ups, and the server could not end before all of them have
    returned. If the caller is cancelled, for instance because a stream was stopped, the thread
    goes on; it counts towards `THREADS` until it ends.

    Parameters
    ----------
    fn, args, kwargs
        The function and its arguments.
    """
    loop = asyncio.get_running_loop()
    threads = _threads.get(loop)
    if threads is None:
        threads = _threads[loop] = _Threads()
    return await threads.run(fn, partial(copy_context().run, fn, *args, **kwargs))


def unhurried(values: Iterable[T]) -> Iterator[T]:
    """
    Yield values in a thread, and let other threads run between them.

    After each `UNHURRIED` values it pauses for as long as whoever works on them took: the event
    loop has half of the time at least, and does not wait for long.
    """
    started = time.perf_counter()
    for number, value in enumerate(values, 1):
        yield value
        if number % UNHURRIED == 0:
            time.sleep(time.perf_counter() - started)
            started = time.perf_counter()


def home() -> asyncio.AbstractEventLoop | None:
    """The event loop that started this thread with `in_thread`; None: it is another thread."""
    return getattr(_here, "home", None)


_here = threading.local()


class _Threads:
    """The threads of one event loop."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(THREADS)
        self._is_short = False

    async def run(self, fn: Callable[..., Any], call: Callable[[], Any]) -> Any:
        if self._free.locked() and not self._is_short:
            logger.warning(
                "all %d threads are in use; %s waits until one of them ends", THREADS, name_of(fn)
            )
        self._is_short = self._free.locked()
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()

        def end(result: Any, error: BaseException | None) -> None:
            self._free.release()
            if done.cancelled():
                if error is not None:
                    logger.error(
                        "%s failed in its thread, after its caller was cancelled",
                        name_of(fn),
                        exc_info=error,
                    )
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
    """An error that may be set on a future and be raised in a coroutine."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration | StopAsyncIteration):
        return error
    failed = RuntimeError(repr(error))
    failed.__cause__ = error
    return failed


# ── in the background ────────────────────────────────────────────────────────────────────────


class Tasks:
    """
    The background tasks of one owner.

    An event loop has only weak references to its tasks; these are kept here until they end.

    Parameters
    ----------
    whose
        The owner, for the log, such as "chat 'left'".
    """

    def __init__(self, whose: str) -> None:
        self._whose = whose
        self._running: set[asyncio.Future[Any]] = set()

    def spawn(
        self, work: Coroutine[Any, Any, T], *, context: Context | None = None
    ) -> asyncio.Task[T]:
        """Start a task that nobody waits for; if it fails, that is logged."""
        task = asyncio.create_task(work, context=context)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def keep(self, task: asyncio.Future[T]) -> asyncio.Future[T]:
        """Keep a task that somebody else waits for; its failure is theirs to report."""
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def wait(self, seconds: float) -> None:
        """Wait until all tasks have ended, at most `seconds`."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    async def stop(self, seconds: float) -> None:
        """Cancel all tasks, and wait until they have ended, at most `seconds`."""
        for task in self._running:
            task.cancel()
        await self.wait(seconds)

    def _ended(self, task: asyncio.Future[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a background task of %s failed", self._whose, exc_info=error)


async def first_of(*works: Awaitable[Any]) -> None:
    """Run all until the first of them is done, and cancel the others; raise its error, if any."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


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
    """An iterator, not a generator: it needs no closing when a loop leaves it early."""

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
    Coroutines that run in order, one at a time.

    Each runs in a task of its own: if it fails or is cancelled, the next one runs all the same.
    The queue has no bound; whoever calls `put` has to limit it.
    """

    def __init__(self) -> None:
        self._waiting: deque[Work] = deque()
        self._task: asyncio.Task[None] | None = None

    def put(self, work: Work) -> None:
        """Run something after all that is in the queue already."""
        self._waiting.append(work)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def idle(self) -> None:
        """Wait until the queue is empty and nothing runs."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while self._waiting:
            task = asyncio.create_task(self._waiting.popleft()())
            await asyncio.wait([task])
            if task.cancelled():
                logger.error("the work on a message was cancelled; the next message is taken")
            elif (error := task.exception()) is not None:
                logger.error(
                    "the work on a message failed; the next message is taken", exc_info=error
                )
