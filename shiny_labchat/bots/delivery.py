"""Delivery of a reply: composed at a person's pace, or streamed as it comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from shiny_labchat import protocol
from shiny_labchat.audit import entries
from shiny_labchat.bots import pace
from shiny_labchat.bots.calls import ModelCalls, NoReply, NotAllowed, ReplyDiscarded
from shiny_labchat.domain import commands
from shiny_labchat.domain.messages import Message
from shiny_labchat.errors import Refused
from shiny_labchat.lab.room import Room
from shiny_labchat.lab.stream import RoomStream

__all__ = ["ComposedReply", "ComposingPlan", "compose", "stream_reply"]


# ── typed ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ComposingPlan:
    """
    The timing of a message that is composed.

    Parameters
    ----------
    reading
        How long reading takes, in seconds.
    typing
        Returns how long typing a text takes, in seconds.
    type
        Shows that the bot is typing; called repeatedly, as browsers do.
    begun
        When reading began, in the running event loop's time.
    is_decided
        Whether it is certain from the beginning that a message will be written; if not, the bot
        is not shown as typing before the model has decided.
    moved
        Set when others have written meanwhile; None: that does not matter.
    """

    reading: float
    typing: Callable[[str], float]
    type: Callable[[], None]
    begun: float
    is_decided: bool
    moved: asyncio.Event | None


class ComposedReply(NamedTuple):
    """
    The result of composing: "written", "silent" (the model declined) or "moved".

    `entry` is its entry in the audit.
    """

    how: Literal["written", "silent", "moved"]
    text: str
    entry: int


async def compose(ask: Awaitable[tuple[str | None, int]], plan: ComposingPlan) -> ComposedReply:
    """
    Compose a message, and return when it is time to send it, or when others have written.

    The time to send is max(latency, reading + typing) after the beginning.

    Parameters
    ----------
    ask
        Returns the text (None: nothing is to be said), and its entry in the audit.
    plan
        The timing.
    """
    loop = asyncio.get_running_loop()
    begun = plan.begun
    typing: asyncio.Task[None] | None = None
    if plan.is_decided:
        typing = asyncio.create_task(_type(plan.type, begun + plan.reading))
    try:
        text, entry = await ask
        if not text:
            return ComposedReply("silent", "", entry)
        if typing is None:
            typing = asyncio.create_task(_type(plan.type, begun + plan.reading))
        due = pace.due(begun, loop.time(), plan.reading, plan.typing(text))
        if await _moves_on(plan.moved, due):
            return ComposedReply("moved", text, entry)
        return ComposedReply("written", text, entry)
    finally:
        if typing is not None:
            typing.cancel()


async def _type(type: Callable[[], None], since: float) -> None:
    await asyncio.sleep(since - asyncio.get_running_loop().time())
    while True:
        type()
        await asyncio.sleep(protocol.TYPING_EVERY)


async def _moves_on(moved: asyncio.Event | None, due: float) -> bool:
    """Wait until it is time, or until others have written; return whether they have."""
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


async def stream_reply(
    room: Room, post: commands.Post, calls: ModelCalls, heard: Sequence[Message], knew: int
) -> str | None:
    """
    Stream an answer into a room; return the reason if no model may be asked.

    Parameters
    ----------
    room, post
        The room, and the message, which begins with its first piece.
    calls, heard, knew
        The model's calls, the conversation, and the newest seq that the bot knows of.
    """
    reply = _StreamedReply(room, post)
    answering = asyncio.create_task(calls.answer(heard, knew, reply.hear))
    reply.stop = answering.cancel
    try:
        await answering
    except asyncio.CancelledError:
        task = asyncio.current_task()
        is_over = task is not None and bool(task.cancelling())  # else a person stopped the reply
        await asyncio.shield(reply.close("stopped"))
        outcome: entries.Outcome = "interrupted" if is_over else "stopped"
        await asyncio.shield(_settle(room, calls, reply, outcome))
        if is_over:
            raise
        return None
    except Exception as exc:
        await reply.close("failed", str(exc) if isinstance(exc, NotAllowed) else type(exc).__name__)
        await _settle(room, calls, reply)
        if isinstance(exc, NotAllowed):
            return str(exc)
        if not isinstance(exc, NoReply | ReplyDiscarded):
            raise
        return None
    await reply.close("done")
    await _settle(room, calls, reply, "posted")
    return None


class _StreamedReply:
    def __init__(self, room: Room, post: commands.Post) -> None:
        self.stream: RoomStream | None = None
        self.stop: Callable[[], object] = bool
        self._room = room
        self._post = post

    async def hear(self, piece: str | None) -> None:
        if piece is None:
            if self.stream is not None:
                self.stream.truncate(0)
            return
        if self.stream is None:
            self.stream = await self._open()
        await self.stream.append([("markdown", piece)])

    async def _open(self) -> RoomStream:
        try:
            stream = await RoomStream.open(self._room, self._post, lambda: self.stop())
        except Refused as exc:
            raise ReplyDiscarded(exc.code) from exc
        if stream is None:
            raise ReplyDiscarded("said already")
        return stream

    async def close(
        self, how: Literal["done", "stopped", "failed"], error: str | None = None
    ) -> None:
        if self.stream is not None:
            await self.stream.close(how, error)


async def _settle(
    room: Room, calls: ModelCalls, reply: _StreamedReply, outcome: entries.Outcome | None = None
) -> None:
    """Record the outcome of the newest call; None: its outcome is on record already."""
    entry, stream = calls.entry, reply.stream
    fields: dict[str, Any] = {} if outcome is None else {"outcome": outcome}
    if stream is not None and (outcome == "posted" or stream.has_said):
        fields |= {"posted": time.time_ns() // 1000, "became": stream.seq}
    elif outcome == "posted":
        fields = {"outcome": "silent", "reason": "model"}
    if entry is not None and fields:
        await room.log.write(lambda conn, now: entries.settle(conn, entry, **fields))
