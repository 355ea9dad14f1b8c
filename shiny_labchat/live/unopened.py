"""The rooms with a time that nobody has open here: their processes may have ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from shiny_labchat.domain.due import needs_signs, next_due
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.state import RoomState
from shiny_labchat.store import EVER, Log, MovedClock, clocks_moved, load_state, makes_state_after

__all__ = ["UnopenedRooms"]

ANEW = 60
"""After so many looks all is read anew: the database may have been replaced by an older copy."""


@dataclass(slots=True)
class _Room:
    """
    A room as it was found last, and its state.

    Parameters
    ----------
    found
        Where its log was.
    state
        Its state, as far as it was read; None: it was not.
    is_behind
        Whether something has happened since.
    is_judged
        Whether nothing was due by this state.
    """

    found: MovedClock
    state: RoomState | None = None
    is_behind: bool = True
    is_judged: bool = False

    def state_at_head(self) -> RoomState | None:
        """The state, where nothing since has counted in it: so only what is new is read next."""
        return None if self.state is None else self.state._replace(seq=self.found.seq)


class UnopenedRooms:
    """
    The rooms with a time that runs or is to start, as far as nobody has them open here.

    A look reads what has changed since the last one. Rooms are kept in memory until they are
    closed.

    Parameters
    ----------
    log
        The log of the rooms.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._rooms: dict[LogKey, _Room] = {}
        self._since = EVER
        self._looks = 0

    async def due(self, is_open: Collection[LogKey], now: int) -> dict[LogKey, RoomState]:
        """
        The rooms in which something may be due.

        Parameters
        ----------
        is_open
            The rooms that are open here.
        now
            The time, in microseconds since 1970 (UTC).
        """
        await self._look()
        here = [room for key, room in self._rooms.items() if key not in is_open]
        await self._read([room for room in here if room.is_behind])
        states = {room.found.key: room.state for room in here if _may_be_due(room, now)}
        return {key: state for key, state in states.items() if state is not None}

    def judged(self, room: LogKey) -> None:
        """Note that nothing was due in a room."""
        if room in self._rooms:
            self._rooms[room].is_judged = True

    async def _look(self) -> None:
        if self._looks % ANEW == 0:
            self._since = EVER
            self._rooms.clear()
        self._looks += 1
        moved, self._since = await self._log.read(partial(clocks_moved, since=self._since))
        for found in moved:
            known = self._rooms.pop(found.key, None)
            if found.is_running:
                state, is_judged = (known.state, known.is_judged) if known else (None, False)
                self._rooms[found.key] = _Room(found, state, is_judged=is_judged)

    async def _read(self, rooms: Collection[_Room]) -> None:
        if not rooms:
            return
        known = [(room.found, room.state) for room in rooms]
        states = await self._log.read(partial(_load, known=known))
        for room, read in zip(rooms, states, strict=True):
            room.is_judged = room.is_judged and read is None
            room.state = read if read is not None else room.state_at_head()
            room.is_behind = False


def _load(
    conn: sa.Connection, known: Iterable[tuple[MovedClock, RoomState | None]]
) -> list[RoomState | None]:
    """The states of rooms as they are now; None: but for its seq, it is the one that is known."""
    return [
        None
        if state is not None and not makes_state_after(conn, found.number, state.seq)
        else load_state(conn, found.number, found.seq)
        for found, state in known
    ]


def _may_be_due(room: _Room, now: int) -> bool:
    if room.state is None or not room.is_judged or needs_signs(room.state):
        return True
    due = next_due(room.state)
    return due is not None and due <= now
