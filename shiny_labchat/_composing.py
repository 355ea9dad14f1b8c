"""One message on its way: read, thought, typed as a person types, unless talk moves on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from shiny_labchat import _bot_rules, _wire

__all__ = ["Composed", "Manner", "compose"]


@dataclass(frozen=True, slots=True)
class Manner:
    """
    How a message is composed.

    Parameters
    ----------
    reading
        What reading takes, in seconds.
    typing
        What typing a text takes, in seconds.
    type
        Shows that the bot is typing; called again and again, as a browser does.
    begun
        When reading began, in the running event loop's time.
    is_decided
        Whether it is sure from the beginning that something will be said; who still has to
        decide is not seen typing before.
    moved
        Set when talk has moved on; None: that does not matter.
    """

    reading: float
    typing: Callable[[str], float]
    type: Callable[[], None]
    begun: float
    is_decided: bool
    moved: asyncio.Event | None


class Composed(NamedTuple):
    """What has come of it: "written", "silent" (the model says nothing) or "moved"."""

    how: Literal["written", "silent", "moved"]
    text: str


async def compose(ask: Awaitable[str | None], manner: Manner) -> Composed:
    """
    Compose a message; when this ends it is time to send it.

    That is, max(latency, reading + typing) after the beginning.

    Parameters
    ----------
    ask
        Gives what is to be said; None: nothing.
    manner
        How.
    """
    loop = asyncio.get_running_loop()
    begun = manner.begun
    typing: asyncio.Task[None] | None = None
    if manner.is_decided:
        typing = asyncio.create_task(_type(manner.type, begun + manner.reading))
    try:
        text = await ask
        if not text:
            return Composed("silent", "")
        if typing is None:
            typing = asyncio.create_task(_type(manner.type, begun + manner.reading))
        due = _bot_rules.due(begun, loop.time(), manner.reading, manner.typing(text))
        if await _moves_on(manner.moved, due):
            return Composed("moved", text)
        return Composed("written", text)
    finally:
        if typing is not None:
            typing.cancel()


async def _type(type: Callable[[], None], since: float) -> None:
    await asyncio.sleep(since - asyncio.get_running_loop().time())
    while True:
        type()
        await asyncio.sleep(_wire.TYPING_EVERY)


async def _moves_on(moved: asyncio.Event | None, due: float) -> bool:
    """Wait until it is time, or until talk has moved on; whether it has."""
    left = due - asyncio.get_running_loop().time()
    if moved is None:
        await asyncio.sleep(left)
        return False
    try:
        async with asyncio.timeout(max(0.0, left)):
            await moved.wait()
    except TimeoutError:
        pass
    return moved.is_set()
