"""What the ids that browsers know mean, for tests that look into the log."""

from __future__ import annotations

from shiny_labchat import Room
from shiny_labchat.domain.opaque import seq_of

__all__ = ["seq_in"]


async def seq_in(room: Room, id: str) -> int:
    """The seq of a room's item."""
    seq = seq_of((await room.state()).seed, id)
    assert seq is not None, f"{id!r} is not of this room"
    return seq
