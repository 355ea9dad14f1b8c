"""What others say in a room while a bot reacts to a message."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

import sqlalchemy as sa

from shiny_labchat.callbacks.cursors import messages_after
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import is_said_to, was_said
from shiny_labchat.domain.triggers import is_for
from shiny_labchat.lab.bot_registry import CALLBACK
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.store import Log, room_number
from shiny_labchat.store.queries import triggers_after

__all__ = ["RoomListener"]

logger = logging.getLogger("shiny_labchat")


class RoomListener:
    """
    Follows what other members say in a room to the bot, too; what programmes post is ignored.

    Parameters
    ----------
    log, live
        The log, and the room.
    bot
        The member id of the bot that listens.

    Attributes
    ----------
    moved
        Set when another member has said something after the seq given to `listen`.
    """

    def __init__(self, log: Log, live: LiveRoom, bot: str) -> None:
        self.moved = asyncio.Event()
        self._log = log
        self._live = live
        self._bot = bot
        self._begun = asyncio.Event()
        self._newest = 0
        self._since = live.state.seq
        self._opened = set(self._speaking())
        self.close = live.follow(self._hear)

    def listen(self, since: int) -> None:
        """Set `moved` when a message is posted, or a stream completed, after a seq."""
        self._since = since
        self.moved.clear()
        if self._newest > since:
            self.moved.set()

    async def is_quiet(self, since: int, until: float) -> bool:
        """
        Wait, and return whether nobody has spoken since a seq, and nobody is streaming.

        Neither is it quiet once a moment comes at which the bot itself is to write.

        Parameters
        ----------
        since
            The seq.
        until
            How long to wait, as a moment of the running event loop's clock.
        """
        self.listen(since)
        self._begun.clear()
        if self._speaking() or await self._log.read(partial(self._was_talk, since)):
            return False
        try:
            async with asyncio.timeout_at(until):
                await self._begun.wait()
                return False
        except TimeoutError:
            return True

    def _was_talk(self, since: int, conn: sa.Connection) -> bool:
        """Whether any member has spoken after a seq."""
        number = room_number(conn, self._live.key)
        if any(map(self._is_own_trigger, triggers_after(conn, number, since))):
            return True
        return any(
            message.member is not None and is_said_to(message.data, self._bot) and was_said(message)
            for message, _ in messages_after(conn, number, since)
        )

    def _is_own_trigger(self, event: Event) -> bool:
        return event.kind == "triggered" and is_for(event, f"{CALLBACK}{self._bot}")

    def _speaking(self) -> list[int]:
        """The seqs of the streams that others have open."""
        streams = self._live.streams.open.values()
        return [stream.seq for stream in streams if self._is_talk(stream.opening)]

    def _is_talk(self, event: Event) -> bool:
        return event.member not in (None, self._bot) and is_said_to(event.data, self._bot)

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            if self._is_own_trigger(event):
                self._begun.set()
            if event.kind == "streamed" and event.data["of"] in self._opened:
                self._opened.discard(event.data["of"])
                if was_said(event):
                    self._say(event.seq)
            elif event.kind == "message" and self._is_talk(event):
                if "live" not in event.data:
                    self._say(event.seq)
                    continue
                self._opened.add(event.seq)
                if event.seq in self._live.streams.open:
                    self._begun.set()

    def _say(self, seq: int) -> None:
        self._newest = seq
        if seq > self._since:
            self.moved.set()
            self._begun.set()
