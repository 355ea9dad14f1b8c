"""The app's own code, watched: what keeps the event loop from everything else is logged."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any

__all__ = ["BLOCKED", "name_of", "watched"]

logger = logging.getLogger("shiny_labchat")

BLOCKED = 0.25
"""What keeps the server from doing anything else for so long is logged, in seconds."""


def name_of(fn: Callable[..., Any]) -> str:
    """Where a function is, for the log."""
    code = getattr(inspect.unwrap(fn), "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
    return f"{getattr(fn, '__qualname__', fn)!r}{where}"


async def watched(kind: str, fn: Callable[..., Any], *args: Any) -> Any:
    """
    What a function gives, waited for if it is async; logged if it blocks.

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
