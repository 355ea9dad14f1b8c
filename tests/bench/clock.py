"""Waiting for a moment. Whoever measures has to pace; tests elsewhere wait for what they mean."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable

__all__ = ["beats", "loop_factory", "now", "pause"]

now = time.perf_counter


async def pause(seconds: float) -> None:
    """Let so many seconds pass."""
    await asyncio.sleep(seconds)


async def beats(number: int, rate: float) -> AsyncGenerator[int]:
    """Count from 0, `rate` times a second; who is late catches up."""
    start = now()
    for k in range(number):
        await asyncio.sleep(max(0.0, start + k / rate - now()))
        yield k


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The fastest event loop there is for the people; the servers all have asyncio's."""
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return None
    return uvloop.new_event_loop
