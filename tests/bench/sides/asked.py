"""What a message may ask of a side's server beyond being passed on: to wait, or to stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from tests.bench.clock import beats, now, pause

__all__ = ["CHUNK", "Stream", "nap", "stream", "tell_meanwhile"]

CHUNK = 5
"""Characters of a chunk."""

_telling: set[asyncio.Task[None]] = set()


@dataclass(frozen=True, slots=True)
class Stream:
    """Its letter, and how many chunks it has and says a second."""

    word: str
    number: int
    rate: float

    async def chunks(self) -> AsyncIterator[str]:
        """When it began, and then chunks of `CHUNK` characters, as a model's tokens."""
        yield f"@{self.word}{now():.6f}@"
        async for n in beats(self.number, self.rate):
            yield f"{self.word}{n:03} "


async def nap(text: str) -> None:
    """Wait, if the text asks for that."""
    if text.startswith("nap "):
        await pause(float(text.split()[1]))


def stream(text: str) -> Stream | None:
    """The stream that the text asks for; None: it asks for none."""
    match text.split():
        case ["stream", word, number, rate]:
            return Stream(word, int(number), float(rate))
        case _:
            return None


def tell_meanwhile(asked: Stream, tell: Callable[[str | None], Awaitable[None]]) -> None:
    """Tell each chunk when it is there, and None at the end, in a task of its own."""

    async def tell_all() -> None:
        async for chunk in asked.chunks():
            await tell(chunk)
        await tell(None)

    task = asyncio.create_task(tell_all())
    _telling.add(task)
    task.add_done_callback(_telling.discard)
