"""A stream that this process runs: opened in the log, shown as it grows, closed in the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from shiny_labchat import _commands
from shiny_labchat._domain import Part
from shiny_labchat._live import Live, LiveRoom
from shiny_labchat._records import Message, text_of
from shiny_labchat._retelling import Retell, Retelling
from shiny_labchat._room import Room
from shiny_labchat._streams import OpenStream, Position
from shiny_labchat.errors import LabChatError, Refused, StoreError
from shiny_labchat.store import drafts

__all__ = ["Speaker"]

logger = logging.getLogger("shiny_labchat")

CHECKPOINT = 2.0
"""How often what a stream has said is kept, in seconds: so much a crash can take."""
AGAIN = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""When closing a stream is tried again that could not be stored, in seconds."""


class Speaker:
    """
    Speaks in a room, piece by piece. Made by :meth:`open`.

    Parameters
    ----------
    room
        The room.
    live
        The same, opened; it is left when the stream is closed.
    stream
        What is shown.
    retell
        What is shown of what is said; None: all of it.

    Attributes
    ----------
    turns
        What a model keeps of it, see :class:`Message`.
    """

    def __init__(
        self, room: Room, live: LiveRoom, stream: OpenStream, retell: Retell | None
    ) -> None:
        self.is_open = True
        self.turns: Sequence[Mapping[str, Any]] = ()
        self._room = room
        self._live = live
        self._stream = stream
        self._retelling = retell and Retelling(stream, retell)
        self._said = self._retelling.said if self._retelling else stream
        self._kept = Position(-1, 0)
        self._row = 0
        self._keeping = asyncio.create_task(self._keep())

    @classmethod
    async def open(
        cls,
        room: Room,
        command: _commands.Post,
        stop: Callable[[], object] | None,
        retell: Retell | None = None,
    ) -> Speaker | None:
        """
        Begin to speak; None: this id was used already.

        Parameters
        ----------
        room
            Where.
        command
            The message that it will be; its parts come later.
        stop
            Ends it early, when somebody who may do so wishes that; None: it just ends.
        retell
            What is shown of what is said; None: all of it.

        Raises
        ------
        Refused
            A rule of the room says no.
        """
        live = await _opened(room)
        try:
            outcome = await room.submit(replace(command, is_live=True))
            if outcome.is_repeat:
                live.leave()
                return None
            stream = live.streams.begin(outcome.events[0])
            speaker = cls(room, live, stream, retell)
            stream.stop = stop or speaker.end
            return speaker
        except BaseException:
            live.leave()
            raise

    def end(self) -> None:
        """End it here; what is said from now on is not heard."""
        self._ending = asyncio.ensure_future(self.close("stopped"))

    @property
    def seq(self) -> int:
        """The message that it is."""
        return self._stream.seq

    @property
    def text(self) -> str:
        """What was said so far."""
        return text_of(self._said.parts)

    async def heard(self) -> list[Message]:
        """What was said to everybody in the room so far, streams that go on apart."""
        await self._live.read_whole()
        return self._live.whole.public(self._live.state.cleared)

    @property
    def pieces(self) -> int:
        """How much was said; to come back to with :meth:`keep`."""
        return self._said.end.pieces

    async def say(self, parts: Sequence[Part], deps: Sequence[Mapping[str, Any]] = ()) -> None:
        """Say more; nothing, to have seen what was taken back."""
        if not self.is_open:
            return
        if self._retelling is None:
            self._stream.add(parts, deps)
        else:
            await self._retelling.add(parts, deps)
        self._live.streams.changed()

    def keep(self, pieces: int) -> None:
        """Take back what was said since there were so many :attr:`pieces`."""
        if self.is_open:
            self._said.keep(pieces)
            self._live.streams.changed()

    async def close(
        self, how: Literal["done", "stopped", "failed"], error: str | None = None
    ) -> None:
        """
        Have all that was said stored as the message; whoever waits for the disk waits here.

        Parameters
        ----------
        how
            Whether it was said to its end, was stopped, or something failed.
        error
            What failed, for the log only.
        """
        if not self.is_open:
            return
        self.is_open = False
        self._keeping.cancel()
        stream, shown = self._stream, how
        if self._retelling is not None:
            shown, error = await self._retell(self._retelling, how, error)
        command = _commands.EndStream(
            of=stream.seq,
            parts=stream.parts,
            how=shown,
            deps=stream.deps,
            audience=stream.opening.data.get("audience"),
            error=error,
            turns=self.turns,
            original=None if self.text == text_of(stream.parts) else self.text,
        )
        try:
            await self._store(command)
            await self._room.log.write(
                lambda conn, now: drafts.drop(conn, self._room.key, stream.seq)
            )
        finally:
            self._live.leave()

    async def _retell(
        self,
        retelling: Retelling,
        how: Literal["done", "stopped", "failed"],
        error: str | None,
    ) -> tuple[Literal["done", "stopped", "failed", "withheld"], str | None]:
        """Show what there is to be shown of it in the end; how that is, and what failed."""
        try:
            return (how if await retelling.end() else "withheld"), error
        except Exception as exc:
            logger.exception("the transform of a stream failed")
            return "failed", error or f"{type(exc).__name__}: {exc}"

    async def _store(self, command: _commands.EndStream) -> None:
        for pause in AGAIN:
            try:
                await self._room.submit(command)
                return
            except StoreError as exc:
                logger.error("a stream's end could not be stored, trying again: %s", exc)
                await asyncio.sleep(pause)
        await self._room.submit(command)

    # ── so that a crash does not take it ──

    async def _keep(self) -> None:
        while True:
            try:
                await self._checkpoint()
            except LabChatError as exc:
                logger.error("what a stream has said could not be kept: %s", exc)
            await asyncio.sleep(CHECKPOINT)

    async def _checkpoint(self) -> None:
        log, room, stream = self._room.log, self._room.key, self._stream
        end, kept = stream.end, self._kept
        if end == kept:
            await log.write(lambda conn, now: drafts.renew(conn, now, room, stream.seq))
            return
        is_start = kept.edition != end.edition
        row = 0 if is_start else self._row + 1
        since = Position(end.edition, 0) if is_start else kept
        piece = drafts.Draft(stream.parts_after(since), stream.deps)
        await log.write(lambda conn, now: drafts.keep(conn, now, room, stream.seq, row, piece))
        self._kept, self._row = end, row


async def _opened(room: Room) -> LiveRoom:
    lives = Live.of(room.log)
    try:
        return await lives.open(room.key)
    except Refused:
        await room.create()
        return await lives.open(room.key)
