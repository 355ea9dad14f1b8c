"""The two ways of a reply into a room: typed as a person types, or said as it comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from shiny_labchat import protocol
from shiny_labchat.audit import entries
from shiny_labchat.bots import pace
from shiny_labchat.bots.calls import Asking, Unanswered, Unasked, Unwanted
from shiny_labchat.domain import commands
from shiny_labchat.domain.messages import Message
from shiny_labchat.errors import Refused
from shiny_labchat.lab.room import Room
from shiny_labchat.lab.stream import Speaker

__all__ = ["Composed", "Manner", "compose", "speak_as_it_comes"]


# ── typed ────────────────────────────────────────────────────────────────────────────────────


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
    """
    What has come of it: "written", "silent" (the model says nothing) or "moved".

    `entry` is the one of the audit that says so.
    """

    how: Literal["written", "silent", "moved"]
    text: str
    entry: int


async def compose(ask: Awaitable[tuple[str | None, int]], manner: Manner) -> Composed:
    """
    Compose a message, unless talk moves on; when this ends it is time to send it.

    That is, max(latency, reading + typing) after the beginning.

    Parameters
    ----------
    ask
        Gives what is to be said (None: nothing), and the audit's entry of that.
    manner
        How.
    """
    loop = asyncio.get_running_loop()
    begun = manner.begun
    typing: asyncio.Task[None] | None = None
    if manner.is_decided:
        typing = asyncio.create_task(_type(manner.type, begun + manner.reading))
    try:
        text, entry = await ask
        if not text:
            return Composed("silent", "", entry)
        if typing is None:
            typing = asyncio.create_task(_type(manner.type, begun + manner.reading))
        due = pace.due(begun, loop.time(), manner.reading, manner.typing(text))
        if await _moves_on(manner.moved, due):
            return Composed("moved", text, entry)
        return Composed("written", text, entry)
    finally:
        if typing is not None:
            typing.cancel()


async def _type(type: Callable[[], None], since: float) -> None:
    await asyncio.sleep(since - asyncio.get_running_loop().time())
    while True:
        type()
        await asyncio.sleep(protocol.TYPING_EVERY)


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


# ── as it comes ──────────────────────────────────────────────────────────────────────────────


async def speak_as_it_comes(
    room: Room, post: commands.Post, asking: Asking, heard: Sequence[Message], knew: int
) -> str | None:
    """
    Stream an answer into a room; gives why not, if nobody may be asked.

    Parameters
    ----------
    room, post
        Where, and as what message; it is there from its first piece on.
    asking, heard, knew
        Who is asked, about which conversation, known up to which seq.
    """
    speech = _Speech(room, post)
    answering = asyncio.create_task(asking.answer(heard, knew, speech.hear))
    speech.stop = answering.cancel
    try:
        await answering
    except asyncio.CancelledError:
        task = asyncio.current_task()
        is_over = task is not None and bool(task.cancelling())  # else somebody, who may, stopped it
        await asyncio.shield(speech.close("stopped"))
        outcome: entries.Outcome = "interrupted" if is_over else "stopped"
        await asyncio.shield(_settle(room, asking, speech, outcome))
        if is_over:
            raise
        return None
    except Exception as exc:
        await speech.close("failed", str(exc) if isinstance(exc, Unasked) else type(exc).__name__)
        await _settle(room, asking, speech)
        if isinstance(exc, Unasked):
            return str(exc)
        if not isinstance(exc, Unanswered | Unwanted):
            raise
        return None
    await speech.close("done")
    await _settle(room, asking, speech, "posted")
    return None


class _Speech:
    def __init__(self, room: Room, post: commands.Post) -> None:
        self.speaker: Speaker | None = None
        self.stop: Callable[[], object] = bool
        self._room = room
        self._post = post

    async def hear(self, piece: str | None) -> None:
        if piece is None:
            if self.speaker is not None:
                self.speaker.keep(0)
            return
        if self.speaker is None:
            self.speaker = await self._open()
        await self.speaker.say([("markdown", piece)])

    async def _open(self) -> Speaker:
        try:
            speaker = await Speaker.open(self._room, self._post, lambda: self.stop())
        except Refused as exc:
            raise Unwanted(exc.code) from exc
        if speaker is None:
            raise Unwanted("said already")
        return speaker

    async def close(
        self, how: Literal["done", "stopped", "failed"], error: str | None = None
    ) -> None:
        if self.speaker is not None:
            await self.speaker.close(how, error)


async def _settle(
    room: Room, asking: Asking, speech: _Speech, outcome: entries.Outcome | None = None
) -> None:
    """Write down what the newest call has become; None: what came of it is known already."""
    entry, speaker = asking.entry, speech.speaker
    fields: dict[str, Any] = {} if outcome is None else {"outcome": outcome}
    if speaker is not None:
        fields |= {"posted": time.time_ns() // 1000, "became": speaker.seq}
    elif outcome == "posted":
        fields = {"outcome": "silent", "reason": "model"}
    if entry is not None and fields:
        await room.log.write(lambda conn, now: entries.settle(conn, entry, **fields))
