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


class ComposedReply(NamedTuple):
    """
    What has come of it: "written", "silent" (the model says nothing) or "moved".

    `entry` is the one of the audit that says so.
    """

    how: Literal["written", "silent", "moved"]
    text: str
    entry: int


async def compose(ask: Awaitable[tuple[str | None, int]], plan: ComposingPlan) -> ComposedReply:
    """
    Compose a message, unless talk moves on; when this ends it is time to send it.

    That is, max(latency, reading + typing) after the beginning.

    Parameters
    ----------
    ask
        Gives what is to be said (None: nothing), and the audit's entry of that.
    plan
        How.
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


async def stream_reply(
    room: Room, post: commands.Post, calls: ModelCalls, heard: Sequence[Message], knew: int
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
    reply = _StreamedReply(room, post)
    answering = asyncio.create_task(calls.answer(heard, knew, reply.hear))
    reply.stop = answering.cancel
    try:
        await answering
    except asyncio.CancelledError:
        task = asyncio.current_task()
        is_over = task is not None and bool(task.cancelling())  # else somebody, who may, stopped it
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
    """Write down what the newest call has become; None: what came of it is known already."""
    entry, stream = calls.entry, reply.stream
    fields: dict[str, Any] = {} if outcome is None else {"outcome": outcome}
    if stream is not None:
        fields |= {"posted": time.time_ns() // 1000, "became": stream.seq}
    elif outcome == "posted":
        fields = {"outcome": "silent", "reason": "model"}
    if entry is not None and fields:
        await room.log.write(lambda conn, now: entries.settle(conn, entry, **fields))
