"""A log with very many messages, written into a database as the server writes them, but faster."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import orjson

from shiny_labchat import Lab, Rules
from shiny_labchat.domain.commands import Record

__all__ = ["fill"]

WORDS = "the of and to in is you that it he was for on are as with his they I at be this".split()
MEMBERS = 8


async def fill(lab: Lab, path: Path, messages: int, rooms: int = 10, study: str = "large") -> None:
    """Make rooms with so many messages of people in all."""
    for number in range(rooms):
        room = await lab.create_room(f"room-{number}", study=study, rules=Rules(rate=None))
        for member in range(MEMBERS):
            await room.add_member(f"p{number}-{member}")
        await room.submit(Record("guess", 7, "p0-0"))
    with sqlite3.connect(path) as connection:
        heads = connection.execute("SELECT key, id, seq FROM room ORDER BY key").fetchall()
        for key, id, seq in heads:
            rows = _rows(key, int(id.removeprefix("room-")), seq, messages // rooms)
            connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            head = seq + messages // rooms
            connection.execute("UPDATE room SET seq = ? WHERE key = ?", (head, key))
    connection.close()


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
