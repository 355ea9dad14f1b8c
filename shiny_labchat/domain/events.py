"""Events of a log, keys of logs, and parts of messages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

__all__ = ["Event", "LogKey", "LogKind", "Part", "newest_about"]

Part = tuple[str, Any]
"""A piece of a message: its kind, which says how far it is trusted, and its content."""

LogKind = Literal["room", "study", "lobby"]
"""What a log is of."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class LogKey(NamedTuple):
    """
    The key of a log: its study, its id in that study, and what it is the log of.

    Parameters
    ----------
    study
        The study.
    id
        The id of the room or lobby; of a study's own log, the study's id.
    kind
        What it is the log of. Logs of different kinds may have the same id.
    """

    study: str
    id: str
    kind: LogKind = "room"


class Event(NamedTuple):
    """
    One entry of a log.

    Parameters
    ----------
    seq
        The event's number in its log: 1, 2, 3, ... without gaps.
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


def newest_about(event: Event) -> int:
    """The seq of the newest message that an event of a room is about; of a message its own."""
    match event.kind:
        case "retracted" | "streamed":
            return event.data["of"]
        case "withdrawn" if "messages" in event.data and "quotes" not in event.data:
            return max(event.data["messages"], default=0)
        case _:
            return event.seq
