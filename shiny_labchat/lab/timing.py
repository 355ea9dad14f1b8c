"""The facet of a room that has to do with the time and the condition of its people."""

from __future__ import annotations

import asyncio
from typing import Any, Self

from shiny_labchat.arguments import check_number
from shiny_labchat.domain import commands
from shiny_labchat.domain.clock import SECOND
from shiny_labchat.domain.members import Member, as_member_id
from shiny_labchat.domain.state import RoomState
from shiny_labchat.lab.facet import RoomFacet
from shiny_labchat.lab.runtime import live_rooms

__all__ = ["Timing"]


class Timing(RoomFacet):
    """A facet of :class:`Room`; its attributes are described there."""

    _condition: Any = None
    _cohort: int = 0
    _round: int = 0

    async def start(self) -> None:
        """
        Start the time of the room's people, if it has not started.

        That is needed with ``Rules(starts="code")``: until then nobody can write. Else it starts
        by itself, and this starts it earlier.

        Raises
        ------
        Refused
            The room is closed, or its rules have no time that starts.
        """
        await self.submit(commands.Start())

    async def extend(self, seconds: float) -> None:
        """
        Give the room's people more time, all at once, on open pages, too.

        Parameters
        ----------
        seconds
            How much longer they may talk.

        Raises
        ------
        Refused
            The room is closed, its time is over, or its rules have no `duration`.
        """
        check_number("seconds", seconds, above=0)
        await self.submit(commands.Extend(round(seconds * SECOND)))

    async def pass_turn(self, member: str | Member | None) -> None:
        """
        Make it a member's turn to write, where people write in turn (`Rules(turns=)`).

        With "code" they have it until this is called again; with "round_robin" it goes on from
        there.

        Parameters
        ----------
        member
            The member; None: nobody may write for now ("code").

        Raises
        ------
        Refused
            The room's rules have no `turns`, it is closed, or this member takes no turns in it.
        """
        await self.submit(commands.PassTurn(None if member is None else as_member_id(member)))

    @property
    def condition(self) -> Any:
        """
        What the experimenter varies, for the group in this room.

        The `Lobby` has drawn it. It is known for rooms that a lobby gives, and for those that a
        page of this process has open. None: the people of the room were not grouped, there are no
        conditions, or it is none of these rooms.
        """
        if self._condition is not None:
            return self._condition
        live = self._live_state()
        return None if live is None else live.condition

    @property
    def cohort(self) -> int | None:
        """
        The number of the cohort that the group in this room belongs to, from 1.

        None: it belongs to none, or nothing is known of the room, as of its `condition`.
        """
        live = None if self._cohort else self._live_state()
        return self._cohort or (live.cohort if live is not None else 0) or None

    @property
    def round(self) -> int | None:
        """The number of the round of the group in this room, from 1; None: as `cohort`."""
        live = None if self._round else self._live_state()
        return self._round or (live.round if live is not None else 0) or None

    def _live_state(self) -> RoomState | None:
        """The state of the room, if a page of this process has it open."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # another thread, or a programme that has not begun
            return None
        live = live_rooms(self.log).opened(self.key)
        return None if live is None else live.state

    def in_condition(self, condition: Any, cohort: int = 0, round: int = 0) -> Self:
        """The room, once it is known in which condition its people are; for this package."""
        self._condition, self._cohort, self._round = condition, cohort, round
        return self
