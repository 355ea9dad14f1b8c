"""
When people were last heard: what all processes know of it, in one table.

Times in it are those of leases, which never jump: see `leases.lease_time`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import chain
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.commands import LobbySigns
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.presence import Signs
from shiny_labchat.store.choosing import engine_of
from shiny_labchat.store.leases import lease_time
from shiny_labchat.store.schema import LAST_COUNTS, event, room, seen

__all__ = ["Person", "forget_seen", "lobby_signs", "note_seen", "rooms_with_people", "seen_of"]

PEOPLE_AT_ONCE = 100
"""Most people in one statement."""


class Person(NamedTuple):
    """A person, by their study and their id in it."""

    study: str
    id: str


def note_seen(conn: sa.Connection, ages: Mapping[Person, Signs]) -> None:
    """
    Note what is known of people; what is known already, and is newer, stays.

    Parameters
    ----------
    conn
        The writer's transaction, which decides what time it is.
    ages
        By person, the signs of their pages as times before now, negative; 0: never.
    """
    now = lease_time(conn)
    rows = [(*person, *signs.moved(now)) for person, signs in ages.items()]
    engine_of(conn).insert(conn, seen, rows, _KEEP_NEWER)


def forget_seen(conn: sa.Connection, person: Person) -> None:
    """Forget when somebody was last heard."""
    of_person = seen.c.study == person.study, seen.c.person == person.id
    conn.execute(sa.delete(seen).where(*of_person))


def seen_of(conn: sa.Connection, people: Collection[Person]) -> tuple[dict[Person, Signs], int]:
    """What is known of people, and what time it is, in microseconds."""
    ids: dict[str, list[str]] = {}
    for study, id in people:
        ids.setdefault(study, []).append(id)
    found: dict[Person, Signs] = {}
    for study, some in ids.items():
        for start in range(0, len(some), PEOPLE_AT_ONCE):
            wanted = {"study": study, "people": some[start : start + PEOPLE_AT_ONCE]}
            for id, *signs in conn.execute(_SEEN, wanted):
                found[Person(study, id)] = Signs(*signs)
    return found, lease_time(conn)


def lobby_signs(
    conn: sa.Connection,
    study: str,
    lobby: LobbyState,
    now: int,
    asked_for: int,
    also: Iterable[str] = (),
) -> LobbySigns:
    """
    What is known of the people who wait in a lobby, or answer its ready checks.

    Parameters
    ----------
    conn
        The writer's transaction.
    study, lobby
        The study, and the lobby's state.
    now
        The time, in microseconds (UTC).
    asked_for
        For how long this process has had the database open, in microseconds.
    also
        The ids of more people whom it matters to know of.
    """
    matched = chain.from_iterable(match.people for match in lobby.matches.values())
    ids = dict.fromkeys((*lobby.here(), *matched, *also))
    found, at = seen_of(conn, [Person(study, id) for id in ids])
    known = {person.id: signs.moved(now - at) for person, signs in found.items()}
    seen = {id: signs.heard for id, signs in known.items() if signs.heard}
    # Nothing is known after the last answer, so who has gone has not been idle since.
    quiet = {id: signs.heard - signs.active for id, signs in known.items() if signs.active}
    idle = {id: now - for_ for id, for_ in quiet.items() if for_ > 0}
    return LobbySigns(seen, idle, now - asked_for)


def rooms_with_people(conn: sa.Connection) -> list[LogKey]:
    """The rooms in which somebody is not gone, as their logs last said."""
    return [LogKey(study, id) for study, id in conn.execute(_WITH_PEOPLE)]


_NAMES = [column.name for column in seen.c]
_KEEP_NEWER = "ON CONFLICT (study, person) DO UPDATE SET " + ", ".join(
    f"{name} = CASE WHEN excluded.{name} > seen.{name} THEN excluded.{name} ELSE seen.{name} END"
    for name in _NAMES[2:]
)
_SEEN = sa.select(seen.c.person, seen.c.at, seen.c.visible, seen.c.active).where(
    seen.c.study == sa.bindparam("study"),
    seen.c.person.in_(sa.bindparam("people", expanding=True)),
)
_last = (
    sa.select(event.c.room, sa.func.max(event.c.seq).label("seq"))
    .where(LAST_COUNTS, event.c.kind == "presence")
    .group_by(event.c.room, event.c.member)
    .subquery()
)
_WITH_PEOPLE = (
    sa.select(room.c.study, room.c.id)
    .join(event, event.c.room == room.c.key)
    .join(_last, sa.and_(_last.c.room == event.c.room, _last.c.seq == event.c.seq))
    .where(event.c.data.not_like('%"gone"%'))
    .distinct()
)
