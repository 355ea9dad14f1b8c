"""
Waiting in functions that are not async, while the event loop goes on.

`Chat.messages()` is not async, and a handler gets all messages from it at once, although a room
that nobody has read yet is read from the log first. The function that calls it, async or not, runs
in a greenlet. To wait, the greenlet is left, the task waits in its place, and the greenlet is
entered again where it was. SQLAlchemy's asyncio extension does the same.

What holds inside, as everywhere: the task, its cancellation and timeouts, context variables, errors
with their tracebacks. What does not: another task that the function starts itself, and another
thread, cannot wait so (`can_wait` is False there); a debugger does not step from one side of the
wait to the other; and a lock from `threading` must not be held while waiting.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Generator
from typing import Any, ParamSpec, TypeVar

from greenlet import getcurrent, greenlet

__all__ = ["can_wait", "let_wait", "wait"]

T = TypeVar("T")
P = ParamSpec("P")


def let_wait(fn: Callable[P, Any]) -> Callable[P, Awaitable[Any]]:
    """A function, async or not, in which `wait` may be called; call it and await the result."""

    @functools.wraps(fn)
    def run(*args: P.args, **kwargs: P.kwargs) -> Awaitable[Any]:
        return _Run(functools.partial(fn, *args, **kwargs))

    return run


def can_wait() -> bool:
    """Whether the running function may call `wait`."""
    return isinstance(getcurrent(), _Greenlet)


def wait(what: Awaitable[T]) -> T:
    """Wait for something; only where `can_wait` is True."""
    here = getcurrent()
    assert isinstance(here, _Greenlet) and here.parent is not None
    steps = what.__await__()
    value: Any = None
    error: BaseException | None = None
    while True:
        try:
            step = steps.send(value) if error is None else steps.throw(error)
        except StopIteration as end:
            return end.value
        value = error = None
        try:
            value = here.parent.switch(step)
        except BaseException as exc:
            error = exc


class _Greenlet(greenlet):
    """Runs a function with the context variables of the task that waits in its place."""

    def __init__(self, run: Callable[[], Any]) -> None:
        super().__init__(run, getcurrent())
        self.gr_context = getcurrent().gr_context


class _Run:
    """Awaits a call of a function that runs in a greenlet."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call

    def __await__(self) -> Generator[Any, Any, Any]:
        inside = _Greenlet(self._begin)
        step = inside.switch()
        while not inside.dead:
            try:
                value = yield step
            except BaseException as exc:
                step = inside.throw(exc)
            else:
                step = inside.switch(value)
        return step

    def _begin(self) -> Any:
        result = self._call()
        return wait(result) if inspect.isawaitable(result) else result
