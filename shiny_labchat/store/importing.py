"""The statements that an import writes with, all in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.store import checkpoints
from shiny_labchat.store.queries import append_events, find_room, insert_events, insert_room, row_of
from shiny_labchat.store.schema import anonymous_id, audit, event, room, study_name

__all__ = [
    "LogWriter",
    "insert_calls",
    "keep_ids",
    "keep_names",
    "last_call",
    "record_in_study",
    "studies_among",
]

LONG_OVER = -checkpoints.LEASE
"""A time at which a lease began that is over: the server of an imported stream has ended."""


def studies_among(conn: sa.Connection, names: Collection[str]) -> list[str]:
    """Those of some studies of which the database has anything."""
    found = sa.select(room.c.study).distinct().order_by(room.c.study)
    return [name for name in conn.execute(found).scalars() if name in names]


class LogWriter:
    """
    Writes one log that the database does not have yet.

    Parameters
    ----------
    conn
        The transaction.
    key
        The log.

    Attributes
    ----------
    number
        Its number in the database.
    seq
        The seq of its newest event.
    """

    def __init__(self, conn: sa.Connection, key: LogKey) -> None:
        self.seq = 0
        self._conn = conn
        self.number = insert_room(conn, key)
        self._open: dict[int, None] = {}

    def write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Append rows of seq, time, kind, member, data (JSON) and cid, in the order of seq."""
        number = self.number
        made = [
            (number, seq, at, kind, member, data, member or "", cid)
            for seq, at, kind, member, data, cid in rows
        ]
        insert_events(self._conn, made)
        self.seq = rows[-1][0]

    def open(self, seq: int) -> None:
        """Note that a stream was opened."""
        self._open[seq] = None

    def end(self, seq: int) -> None:
        """Note that a stream has ended."""
        self._open.pop(seq, None)

    def close(self) -> None:
        """Finish the log; streams that were running count as those of a server that has ended."""
        append_events(self._conn, [], [(self.number, 0, self.seq)])
        for seq in self._open:
            checkpoints.begin(self._conn, LONG_OVER, self.number, seq)


def record_in_study(
    conn: sa.Connection, study: str, now: int, kind: str, data: Mapping[str, Any]
) -> None:
    """Append an event of the programme to the log of a study, which is made if there is none."""
    key = study_log(study)
    number, seq = find_room(conn, key) or (insert_room(conn, key), 0)
    made = row_of(number, Event(seq + 1, now, kind, None, data))
    append_events(conn, [made], [(number, seq, seq + 1)])


def last_call(conn: sa.Connection) -> int:
    """The largest key in the audit; 0: it has none."""
    return conn.execute(sa.select(sa.func.coalesce(sa.func.max(audit.c.key), 0))).scalar_one()


def insert_calls(conn: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write entries of the audit, whose prompts are whole."""
    conn.execute(sa.insert(audit), [*rows])


def keep_ids(conn: sa.Connection, study: str) -> None:
    """Have the ids of an anonymous study stand for themselves in further anonymous exports."""
    of_study = event.c.room == room.c.key, room.c.study == study, event.c.member.is_not(None)
    ids = sa.select(room.c.study, event.c.member, event.c.member.label("drawn"))
    conn.execute(
        sa.insert(anonymous_id).from_select(
            ["study", "member", "drawn"], ids.where(*of_study).distinct()
        )
    )


def keep_names(conn: sa.Connection, study: str, names: Iterable[tuple[str, str]]) -> None:
    """Keep the pseudonyms that members had, for the rooms that they join later."""
    rows = [{"study": study, "member": member, "pseudonym": name} for member, name in names]
    if rows:
        conn.execute(sa.insert(study_name), rows)
