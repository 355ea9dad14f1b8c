"""What a bot says as it comes, where all may know that it is a machine that speaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

from shiny_labchat import _commands
from shiny_labchat._bot_asking import Asking, Unanswered, Unasked, Unwanted
from shiny_labchat._records import Message
from shiny_labchat._room import Room
from shiny_labchat._speaker import Speaker
from shiny_labchat.errors import Refused
from shiny_labchat.store import audit

__all__ = ["speak_as_it_comes"]


async def speak_as_it_comes(
    room: Room, post: _commands.Post, asking: Asking, heard: Sequence[Message], knew: int
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
        outcome: audit.Outcome = "interrupted" if is_over else "stopped"
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
    def __init__(self, room: Room, post: _commands.Post) -> None:
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
    room: Room, asking: Asking, speech: _Speech, outcome: audit.Outcome | None = None
) -> None:
    """Write down what the newest call has become; None: what came of it is known already."""
    entry, speaker = asking.entry, speech.speaker
    fields: dict[str, Any] = {} if outcome is None else {"outcome": outcome}
    if speaker is not None:
        fields |= {"posted": time.time_ns() // 1000, "became": speaker.seq}
    elif outcome == "posted":
        fields = {"outcome": "silent", "reason": "model"}
    if entry is not None and fields:
        await room.log.write(lambda conn, now: audit.settle(conn, entry, **fields))
