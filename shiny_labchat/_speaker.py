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
from shiny_labchat._records import Message, message_of, settled
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
        What is said.
    """

    def __init__(self, room: Room, live: LiveRoom, stream: OpenStream) -> None:
        self.is_open = True
        self._room = room
        self._live = live
        self._stream = stream
        self._kept = Position(-1, 0)
        self._row = 0
        self._keeping = asyncio.create_task(self._keep())

    @classmethod
    async def open(
        cls, room: Room, command: _commands.Post, stop: Callable[[], object]
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
            Ends it early, when somebody who may do so wishes that.

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
            stream.stop = stop
            return cls(room, live, stream)
        except BaseException:
            live.leave()
            raise

    @property
    def pieces(self) -> int:
        """How much was said; to come back to with :meth:`keep`."""
        return self._stream.end.pieces

    def say(self, parts: Sequence[Part], deps: Sequence[Mapping[str, Any]] = ()) -> None:
        """Say more."""
        if self.is_open:
            self._stream.add(parts, deps)
            self._live.streams.changed()

    def keep(self, pieces: int) -> None:
        """Take back what was said since there were so many :attr:`pieces`."""
        if self.is_open:
            self._stream.keep(pieces)
            self._live.streams.changed()

    async def close(
        self, how: Literal["done", "stopped", "failed"], error: str | None = None
    ) -> Message:
        """
        Have all that was said stored as the message; whoever waits for the disk waits here.

        Parameters
        ----------
        how
            Whether it was said to its end, was stopped, or something failed.
        error
            What failed, for the log only.
        """
        self.is_open = False
        self._keeping.cancel()
        stream = self._stream
        command = _commands.EndStream(
            stream.seq, stream.parts, how, stream.deps, stream.opening.data.get("audience"), error
        )
        try:
            ending = await self._store(command)
            await self._room.log.write(
                lambda conn, now: drafts.drop(conn, self._room.key, stream.seq)
            )
        finally:
            self._live.leave()
        return message_of(settled(stream.opening, ending))

    async def _store(self, command: _commands.EndStream) -> Any:
        for pause in AGAIN:
            try:
                return (await self._room.submit(command)).events[0]
            except StoreError as exc:
                logger.error("a stream's end could not be stored, trying again: %s", exc)
                await asyncio.sleep(pause)
        return (await self._room.submit(command)).events[0]

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
