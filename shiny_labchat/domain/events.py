"""Events of a room's log, keys of rooms, and parts of messages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

__all__ = ["Event", "Part", "RoomKey"]

Part = tuple[str, Any]
"""A piece of a message: its kind, which says how far it is trusted, and its content."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class RoomKey(NamedTuple):
    """The key of a room: its study, and its id in that study."""

    study: str
    id: str


class Event(NamedTuple):
    """
    One entry of a room's log.

    Parameters
    ----------
    seq
        The event's number in its room: 1, 2, 3, ... without gaps.
    at
        When the server stored it, in microseconds since 1970 (UTC). Events are ordered by `seq`,
        never by this.
    kind
        What happened: "message", "joined", "closed", ...
    member
        The id of the member who did it, or whom it is about; None: the programme.
    data
        The rest, as JSON values.
    cid
        The id of the command that made it: a retry of that command makes no second event. None: a
        retry is not recognised.
    """

    seq: int
    at: int
    kind: str
    member: str | None = None
    data: Mapping[str, Any] = _NOTHING
    cid: str | None = None
