"""The facet of a room that has to do with who talks: shares, and asking a bot to write."""

from __future__ import annotations

import secrets
from functools import partial
from itertools import repeat
from typing import TypeVar, cast

import sqlalchemy as sa

from shiny_labchat.arguments import as_id
from shiny_labchat.concurrency import retry
from shiny_labchat.domain import commands
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.shares import places_in, shares_of, speakers_in
from shiny_labchat.domain.triggers import ASKED
from shiny_labchat.lab import history
from shiny_labchat.lab.bot_registry import CALLBACK, RoomBot, cid_of
from shiny_labchat.lab.facet import RoomFacet
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.store import room_number
from shiny_labchat.store.queries import find_cid
from shiny_labchat.store.schema import callback_room

__all__ = ["Talking"]

LOOK = 0.1
"""Pause between two looks whether a bot that was asked has written, in seconds."""

T = TypeVar("T")


class Talking(RoomFacet):
    """A facet of :class:`Room`; its attributes are described there."""

    async def shares(self) -> dict[str, float]:
        """
        How much each member has written of all that the app has not made private.

        Returns
        -------
        dict
            By the id of each member who is shown as a participant, their share of all characters,
            from 0 to 1; a bot that is shown as one is among them. All are 0 if nobody has written.
        """
        state = await self.state()
        said = await history.said(self.log, self.key, 0, None, None)
        talk = (each for each in said if each.audience is None or each.by_network)
        return shares_of(talk, speakers_in(state), places_in(state))

    async def ask(self, bot: str | RoomBot, *, instruction: str | None = None) -> Message | None:
        """
        Have a bot of the room write a message now, and wait until it has.

        It writes as it always does: after what it is at, at its own speed, and within its limits
        and budgets. Who has asked is shown to nobody; the audit has "ask" as `trigger`.

        Parameters
        ----------
        bot
            A bot that takes part here, or its id.
        instruction
            What its model is told for this message, such as ``"Sum up what was said."``; it is
            added to the system prompt, and kept in the log. A `respond` function is not told.

        Returns
        -------
        Message or None
            Its message; None: it has said nothing, and the audit says why.

        Raises
        ------
        ValueError
            The room has no such bot.

        Notes
        -----
        It does not matter which process runs the bot. If it ends meanwhile, the next one goes on.
        """
        id = as_id("bot", bot if isinstance(bot, str) else bot.id)
        if not isinstance(cast(object, instruction), str | None):
            raise TypeError(f"instruction must be text or None, not {instruction!r}")
        state = await self.once_created(self.state)
        known = {each.id: each for each in Runtime.of(self.log).bots.of_room(self.key)}.get(id)
        if known is None or not known.is_in(state):
            raise ValueError(f"{self!r} has no bot {id!r}: add one with add_bot, or Lobby(bots=)")
        name, number = f"{CALLBACK}{id}", secrets.token_hex(8)
        asked = commands.Trigger(name, ASKED, instruction=instruction, number=number)
        [event] = (await self.submit(asked)).events
        await self._until_done(name, event.seq)
        seq = await self.log.read(lambda conn: _said(conn, self.key, id, event.seq))
        found = [] if seq is None else await history.said(self.log, self.key, seq - 1, 1, None)
        return next((each for each in found if each.seq == seq), None)

    async def _until_done(self, callback: str, seq: int) -> None:
        """Wait until a callback has come to a seq, in whichever process."""
        is_done = partial(_is_done, room=self.key, callback=callback, seq=seq)
        async for _ in retry(repeat(LOOK)):
            if await self.log.read(is_done):
                return


def _is_done(conn: sa.Connection, room: LogKey, callback: str, seq: int) -> bool:
    """Whether a callback has come to a seq in a room."""
    row = callback_room.c.callback == callback, callback_room.c.room == room_number(conn, room)
    done = conn.execute(sa.select(callback_room.c.done).where(*row)).scalar()
    return done is not None and done >= seq


def _said(conn: sa.Connection, room: LogKey, bot: str, seq: int) -> int | None:
    """The seq of the message that a bot has written as it was asked at a seq; None: of none."""
    said = find_cid(conn, room_number(conn, room), bot, cid_of(seq))
    return None if said is None else said.seq
