"""
Since when callbacks are called at the moments that they name.

A moment that was over when the app got it is not made up for: only a server that was down does
that. And none comes in a room that was imported.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from shiny_labchat.callbacks.registry import Registered
from shiny_labchat.domain.scope import Scope
from shiny_labchat.domain.state import RoomState
from shiny_labchat.store import load_state, makes_state_after
from shiny_labchat.store.choosing import engine_of
from shiny_labchat.store.engine import Moved
from shiny_labchat.store.queries import triggers_after
from shiny_labchat.store.schema import callback, callback_room, room

__all__ = ["RoomMoments", "moved_since", "name_of", "read_moments", "register_moment"]


@dataclass(slots=True)
class RoomMoments:
    """
    A room in which callbacks are due at moments.

    Parameters
    ----------
    number
        Its number in the database.
    state
        Its state, as far as it is known here.
    done
        The ids of the commands for what was due already.
    imported
        The names of the moments that do not come there, as it was imported.
    next
        When something is due next, or is asked for again (microseconds); None: nothing is.
    is_over
        Whether nothing can become due as it is; then `state` has the seq only.
    """

    number: int
    state: RoomState
    done: set[str]
    imported: Collection[str]
    next: int | None = None
    is_over: bool = False


def name_of(callback: str, moment: str) -> str:
    """The name under which a moment of a callback is registered."""
    return f"{callback} {moment}"


def register_moment(
    conn: sa.Connection, now: int, of: str, moment: str, scope: Scope
) -> Registered:
    """
    Register a moment of a callback for some rooms; return when that was done first.

    Parameters
    ----------
    now
        The time, in microseconds since 1970 (UTC).
    of, moment, scope
        The callback, the name of its moment, and the rooms.
    """
    name = name_of(of, moment)
    same = callback.c.name == name, callback.c.scope == scope.name
    found = conn.execute(sa.select(callback.c.since, callback.c.registered).where(*same)).first()
    if found is not None:
        return Registered(found.since, found.registered or 0)
    engine_of(conn).wait_for_rooms(conn)
    newest = conn.execute(sa.select(sa.func.coalesce(sa.func.max(room.c.key), 0))).scalar_one()
    row = {"name": name, "scope": scope.name, "since": newest, "registered": now}
    conn.execute(sa.insert(callback).values(**row))
    return Registered(newest, now)


def moved_since(conn: sa.Connection, since: int) -> tuple[Sequence[Moved], int]:
    """The logs in which something has happened, and where the next look begins."""
    return engine_of(conn).rooms_moved(conn, since)


def read_moments(
    conn: sa.Connection, found: Moved, known: RoomMoments | None, names: Collection[str]
) -> RoomMoments | None:
    """
    A room as it is now; None: nothing has happened since by which something becomes due.

    Parameters
    ----------
    found
        Where its log is.
    known
        What is known of it; None: nothing.
    names
        The names of the moments that may come there.
    """
    number = found.number
    if known is not None and known.number == number:
        seq = known.state.seq
        if not makes_state_after(conn, number, seq) and not triggers_after(conn, number, seq, 1):
            return None
    done = {each.cid for each in triggers_after(conn, number, 0) if each.cid is not None}
    passed = sa.select(callback_room.c.callback).where(
        callback_room.c.room == number, callback_room.c.callback.in_(names)
    )
    imported = frozenset(conn.execute(passed).scalars())
    return RoomMoments(number, load_state(conn, number, found.seq), done, imported)
