"""
Calls of the app's functions in the event loop, and what keeps the loop from going on meanwhile.

A step of a function takes long because it computes, because it waits without `await`, or because
its process gets no time, as on a machine that is busy or suspended. Only the first two are the
function's doing: then its thread has used the time, or other threads have run all the while.
"""

from __future__ import annotations

import inspect
import logging
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from shiny_labchat.concurrency import contained, name_of

__all__ = ["BLOCKED", "watched"]

logger = logging.getLogger("shiny_labchat")

BLOCKED = 0.25
"""A call that blocks the event loop for longer than this is logged, in seconds."""
LOOK = 0.05
"""How often a thread looks at what runs in event loops, in seconds."""


async def watched(kind: str, fn: Callable[..., Any], *args: Any) -> Any:
    """
    Call a function, async or not, and return its result; log it if it blocks the event loop.

    It runs within `contained`.

    Parameters
    ----------
    kind
        The kind of function, such as "handler", for the log.
    fn, args
        The function and its arguments.
    """

    def after(step: _Step) -> None:
        took = step.end()
        if took > BLOCKED:
            _report(kind, fn, step, took)

    with contained():
        step = _Step()
        try:
            result = fn(*args)
        finally:
            after(step)
        return await _Steps(result, after) if inspect.isawaitable(result) else result


def _report(kind: str, fn: Callable[..., Any], step: _Step, took: float) -> None:
    computed = step.computed()
    if max(computed, step.seen) > BLOCKED:
        logger.warning(
            "the %s %s blocked the whole server for %.1f s%s; "
            "await asyncio.to_thread(...) what takes long",
            *(kind, name_of(fn), took, f", at {step.line}" if step.line else ""),
        )
    else:
        logger.warning(
            "the server stood still for %.1f s in the %s %s, which has used %.2f s of them; the "
            "machine was busy, or the process was stopped",
            *(took, kind, name_of(fn), computed),
        )


@dataclass(slots=True)
class _Step:
    """
    A function's step in an event loop, from now on.

    Parameters
    ----------
    thread
        The loop's thread.
    began, computed_before
        The time, and what the thread has computed until then, in seconds.
    seen
        For how long another thread has seen that it goes on, in seconds.
    line
        The file and line where it was when it was looked at last.
    outer
        What the same thread was doing before.
    """

    thread: int = field(default_factory=threading.get_ident)
    began: float = field(default_factory=time.monotonic)
    computed_before: float = field(default_factory=time.thread_time)
    seen: float = 0.0
    line: str = ""
    outer: _Step | None = None

    def __post_init__(self) -> None:
        self.outer = _watch.running.get(self.thread)
        _watch.add(self)

    def end(self) -> float:
        """End it; how long it has taken, in seconds."""
        if self.outer is None:
            _watch.running.pop(self.thread, None)
        else:
            _watch.running[self.thread] = self.outer
        now = time.monotonic()
        self.seen += _watch.since_look(self, now)
        return now - self.began

    def computed(self) -> float:
        """How long its thread has computed since it began, in seconds."""
        return time.thread_time() - self.computed_before


class _Watch:
    """
    A thread that looks at what runs in event loops, as long as anything does.

    When its process gets no time, it does not look either: what it has seen is what others could
    have used.

    Attributes
    ----------
    running
        What runs now, by thread.
    """

    def __init__(self) -> None:
        self.running: dict[int, _Step] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._last = 0.0

    def add(self, step: _Step) -> None:
        """Look at a step until it ends."""
        with self._lock:
            self.running[step.thread] = step
            if self._thread is None or not self._thread.is_alive():  # a fork has no threads
                self._thread = threading.Thread(
                    target=self._run, name="labchat-blocking", daemon=True
                )
                self._thread.start()

    def since_look(self, step: _Step, now: float) -> float:
        """For how long a step goes on since it was looked at last; at most twice the usual time."""
        return min(now - max(self._last, step.began), 2 * LOOK)

    def _run(self) -> None:
        self._last = time.monotonic()
        while True:
            time.sleep(LOOK)
            now = time.monotonic()
            with self._lock:
                if not self.running:
                    self._thread = None
                    return
                steps = [*self.running.values()]
            for step in steps:
                self._look(step, self.since_look(step, now))
            self._last = now

    def _look(self, step: _Step, seen: float) -> None:
        step.seen += seen
        # documented in spite of its name
        frame = sys._current_frames().get(step.thread)  # pyright: ignore[reportPrivateUsage]
        if step.seen > BLOCKED / 2 and frame is not None:
            step.line = f"{frame.f_code.co_filename}:{frame.f_lineno}"


_watch = _Watch()


class _Steps:
    """Awaits something; calls `after` with each step, when the step has ended."""

    def __init__(self, inner: Awaitable[Any], after: Callable[[_Step], None]) -> None:
        self._inner = inner
        self._after = after

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self._inner.__await__()
        value: Any = None
        error: BaseException | None = None
        while True:
            step = _Step()
            try:
                given = inner.send(value) if error is None else inner.throw(error)
            except StopIteration as end:
                return end.value
            finally:
                self._after(step)
            value = error = None
            try:
                value = yield given
            except BaseException as exc:
                error = exc
