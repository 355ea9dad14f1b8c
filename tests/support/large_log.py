"""A log with very many messages, written into a database as the server writes them, but faster."""

from __future__ import annotations

import random
from collections.abc import Iterator

import orjson
import sqlalchemy as sa

from shiny_labchat import Lab, Rules
from shiny_labchat.domain.commands import Record
from shiny_labchat.store.schema import event
from tests.support.database import held

__all__ = ["fill"]

WORDS = "the of and to in is you that it he was for on are as with his they I at be this".split()
MEMBERS = 8


async def fill(lab: Lab, messages: int, rooms: int = 10, study: str = "large") -> None:
    """Make rooms with so many messages of people in all."""
    for number in range(rooms):
        room = await lab.create_room(f"room-{number}", study=study, rules=Rules(rate=None))
        for member in range(MEMBERS):
            await room.add_member(f"p{number}-{member}")
        await room.submit(Record("guess", 7, "p0-0"))
    names = event.c.keys()
    with held(lab.url) as conn:
        heads = conn.execute(sa.text("SELECT key, id, seq FROM room ORDER BY key")).all()
        for key, id, seq in heads:
            rows = _rows(key, int(id.removeprefix("room-")), seq, messages // rooms)
            conn.execute(sa.insert(event), [dict(zip(names, row, strict=True)) for row in rows])
            moved = sa.text("UPDATE room SET seq = :seq WHERE key = :key")
            conn.execute(moved, {"seq": seq + messages // rooms, "key": key})


def _rows(key: int, room: int, seq: int, messages: int) -> Iterator[tuple[object, ...]]:
    draw = random.Random(key)
    at = 1_800_000_000_000_000
    for number in range(1, messages + 1):
        at += draw.randrange(1, 3_000_000)
        member = f"p{room}-{draw.randrange(MEMBERS)}"
        text = " ".join(draw.choices(WORDS, k=draw.randrange(3, 25)))
        data = {
            "role": "user",
            "h": f"{draw.getrandbits(32):08x}",
            "name": "Teal Otter",
            "parts": [["text", f'{text}, "quoted"' if number % 50 == 0 else text]],
            "page": f"{draw.getrandbits(64):016x}",
        }
        cid = f"{draw.getrandbits(64):016x}"
        yield key, seq + number, at, "message", member, orjson.dumps(data).decode(), member, cid
