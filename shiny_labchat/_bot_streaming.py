"""What a bot says as it comes, where all may know that it is a machine that speaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

from shiny_labchat import _commands
from shiny_labchat._bot_asking import Answer, Asking, Exhausted, Unanswered
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
    Stream an answer into a room; gives why not, if a budget is spent.

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
        answer = await answering
    except asyncio.CancelledError:
        await asyncio.shield(speech.close("stopped"))
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return None  # somebody has stopped it, who may
    except Exhausted as exc:
        return str(exc)
    except (Unanswered, Refused) as exc:
        await speech.close("failed", type(exc).__name__)
        return None
    await speech.close("done")
    await _settle(room, answer, speech.speaker)
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
            self.speaker = await Speaker.open(self._room, self._post, lambda: self.stop())
        if self.speaker is not None:
            await self.speaker.say([("markdown", piece)])

    async def close(
        self, how: Literal["done", "stopped", "failed"], error: str | None = None
    ) -> None:
        if self.speaker is not None:
            await self.speaker.close(how, error)


async def _settle(room: Room, answer: Answer, speaker: Speaker | None) -> None:
    fields: dict[str, Any] = {"outcome": "silent", "reason": "model"}
    if speaker is not None:
        now = time.time_ns() // 1000
        fields = {"outcome": "posted", "posted": now, "became": speaker.seq}
    await room.log.write(lambda conn, _: audit.settle(conn, answer.entry, **fields))
