"""What is in the messages of a bus: ids and numbers, never what somebody has written. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

import orjson

from shiny_labchat.bus.base import Message
from shiny_labchat.domain.events import LogKey

__all__ = [
    "BEATS",
    "BELLS",
    "LARGEST",
    "bell",
    "bells",
    "decoded",
    "encoded",
    "in_parts",
    "rooms_in",
    "rooms_of",
    "topic_of",
]

LARGEST = 7_000
"""Most bytes of a message: PostgreSQL passes on less than 8,000 at once."""
BEATS = "beats"
"""The topic on which each process hears itself, so that it knows that the bus works."""
BELLS = "bells"
"""
The topic on which each process says in which rooms it has stored events, for who wants to hear of
all. Where a server hands on what a process has subscribed to, and no more, it is said on the
rooms' own topics, too: so a process hears of its own rooms, however many others there are.
"""
_LARGEST_ITEMS = LARGEST - 500


def topic_of(key: LogKey) -> str:
    """The topic of a room. Ids of rooms may have any characters, and may be names."""
    name = orjson.dumps([key.study, key.kind, key.id])
    return f"room.{blake2b(name, digest_size=12).hexdigest()}"


def encoded(topic: str, sender: str, payload: object) -> Message:
    """
    A message of a sender.

    Raises
    ------
    ValueError
        It is too long.
    """
    data = orjson.dumps([sender, payload])
    if len(data) > LARGEST:
        raise ValueError(f"a message of {len(data)} bytes is too long for a bus")
    return Message(topic, data)


def decoded(data: bytes) -> tuple[str, Any] | None:
    """Who has sent a message, and its payload; None: it is not one of ours."""
    try:
        found: Any = orjson.loads(data)
    except ValueError:
        return None
    match found:
        case [str(sender), payload]:
            return sender, payload
        case _:
            return None


def in_parts(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Items in parts that are short enough for a message each; at least one part."""
    part, size = list[Any](), 0
    for item in items:
        length = len(orjson.dumps(item)) + 1
        if part and size + length > _LARGEST_ITEMS:
            yield part
            part, size = [], 0
        part.append(item)
        size += length
    yield part


def bells(sender: str, rooms: Mapping[LogKey, int]) -> list[Message]:
    """Messages that say which seq is the newest in rooms; of no rooms: in any."""
    items = ([key.study, key.kind, key.id, seq] for key, seq in rooms.items())
    return [encoded(BELLS, sender, part) for part in in_parts(items)]


def bell(sender: str, key: LogKey, seq: int) -> Message:
    """A message on a room's own topic that says which seq is the newest there."""
    return encoded(topic_of(key), sender, {"is": "bell", "of": [key.study, key.kind, key.id, seq]})


def rooms_of(payload: Any) -> dict[LogKey, int] | None:
    """The room that such a message says, with its seq; None: it is another message."""
    match payload:
        case {"is": "bell", "of": [str(study), kind, str(id), int(seq)]}:
            return {LogKey(study, id, kind): seq}
        case _:
            return None


def rooms_in(payload: Any) -> dict[LogKey, int]:
    """The rooms that such a message says, and their newest seqs."""
    return {LogKey(study, id, kind): seq for study, kind, id, seq in payload}
