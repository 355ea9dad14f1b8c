"""An entry of a room's log, and the names of rooms and parts of messages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

__all__ = ["Event", "Part", "RoomKey"]

Part = tuple[str, Any]
"""A piece of a message, by how far it is trusted: its kind, and its content."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class RoomKey(NamedTuple):
    """A room's name: the study it belongs to, and its id there."""

    study: str
    id: str


class Event(NamedTuple):
    """
    One entry of a room's log.

    Parameters
    ----------
    seq
        The room's own running number, without gaps, from 1.
    at
        When the server stored it, in microseconds since 1970 (UTC). Order is `seq`, never this.
    kind
        What happened: "message", "joined", "closed", ...
    member
        The id of the member who did it or whom it is about; None: the programme.
    data
        The rest, as JSON values.
    cid
        The id that makes a repeated command one event; None: it cannot be repeated.
    """

    seq: int
    at: int
    kind: str
    member: str | None = None
    data: Mapping[str, Any] = _NOTHING
    cid: str | None = None
