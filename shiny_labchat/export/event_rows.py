"""The rows of the table of events, from one log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from shiny_labchat.domain.events import LogKey
from shiny_labchat.export.disguise import Disguise
from shiny_labchat.export.tables import Rows
from shiny_labchat.store.exporting import EventRow

__all__ = ["EventRows"]

LEFT_OUT = "exported"
"""The kind of events that are in no export: each would change the next one."""


class EventRows:
    """
    Makes the rows of the events of one log.

    Parameters
    ----------
    rows
        What takes them.
    key
        The log.
    disguise
        What is shown of people.
    since
        Events before it are left out, in microseconds since 1970 (UTC).
    """

    def __init__(self, rows: Rows, key: LogKey, disguise: Disguise, since: int) -> None:
        self._rows = rows
        self._head = key.study, key.kind, disguise.name(key.id)
        self._disguise = disguise
        self._since = since

    def plain(self, events: Sequence[EventRow]) -> None:
        """Give events as they are in the log."""
        head, since = self._head, self._since
        self._rows.extend(
            [(*head, *row) for row in events if row[1] >= since and row[2] != LEFT_OUT]
        )

    def disguised(
        self, seq: int, at: int, kind: str, member: str | None, data: Mapping[str, Any],
        cid: str | None, author: str | None,
    ) -> None:  # fmt: skip
        """Give an event without what is not to be seen; `author`: whose words it has."""
        if at < self._since or kind == LEFT_OUT:
            return
        disguise = self._disguise
        text = _dumps(kind, disguise.event(kind, author, data))
        self._rows.add(
            (*self._head, seq, at, kind, disguise.member(member), text, disguise.cid(cid))
        )

    def flush(self) -> None:
        """Write what has come."""
        self._rows.flush()


def _dumps(kind: str, data: Mapping[str, Any]) -> str:
    if kind == "recorded":  # it may have integers of any size
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return orjson.dumps(data).decode()
