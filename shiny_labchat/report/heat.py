"""How much was written in each minute of each room, as SVG."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shiny_labchat.report.svg import number, picture, rect, text

__all__ = ["ROOMS", "Talk", "heat", "talk_of"]

WIDTH = 760.0
LEFT = 130.0
COLUMNS = 60
"""Most columns of the picture; longer rooms have several minutes in a column."""
ROOMS = 60
"""Most rooms that are drawn, the ones with most messages; the table has more."""
ROW = 15.0


class Talk(NamedTuple):
    """
    Messages by room and time since the room's first message.

    Parameters
    ----------
    minutes
        How many minutes are in a column.
    rooms
        By room, how many messages are in each column.
    means
        For each column, the mean of all rooms whose talk lasted at least so long.
    """

    minutes: int
    rooms: Mapping[str, Sequence[int]]
    means: Sequence[float]


def talk_of(minutes: Mapping[str, Counter[int]]) -> Talk:
    """Count messages in columns; what comes later than all columns is in the last one."""
    lasts = sorted(max(each) for each in minutes.values() if each)
    long = lasts[int(len(lasts) * 0.95) - 1 if len(lasts) > 20 else -1] + 1 if lasts else 1
    width = next((n for n in (1, 2, 5, 10, 30, 60) if long <= n * COLUMNS), 24 * 60)
    number_of = min(COLUMNS, -(-long // width))
    rooms: dict[str, list[int]] = {}
    for room, counts in minutes.items():
        row = [0] * number_of
        for minute, count in counts.items():
            row[min(minute // width, number_of - 1)] += count
        rooms[room] = row
    ends = {room: min(max(counts) // width, number_of - 1) for room, counts in minutes.items()}
    means: list[float] = []
    for k in range(number_of):
        there = [row[k] for room, row in rooms.items() if ends[room] >= k]
        means.append(sum(there) / len(there) / width if there else 0.0)
    return Talk(width, rooms, means)


def heat(found: Talk, words: str) -> str:
    """A row for each room, and a column for each time; the more messages, the stronger."""
    rooms = sorted(found.rooms, key=lambda room: (-sum(found.rooms[room]), room))[:ROOMS]
    rooms = [room for room in found.rooms if room in set(rooms)]
    columns = len(found.means)
    step = (WIDTH - LEFT - 10) / max(columns, 8)
    most = max((max(found.rooms[room]) for room in rooms), default=0) or 1
    parts: list[str] = []
    for y, room in enumerate(rooms):
        top = 4 + y * ROW
        parts.append(text(LEFT - 8, top + 11, room, anchor="end", size=11, room=LEFT - 14))
        for k, count in enumerate(found.rooms[room]):
            if count:
                says = f"{room}, minute {k * found.minutes}: {count} messages"
                parts.append(rect(LEFT + k * step, top, step - 1, ROW - 2, "c0", says=says,
                                  opacity=0.15 + 0.85 * count / most, rounded=1))  # fmt: skip
    bottom = 4 + len(rooms) * ROW
    skip = 1 + columns // 12
    for k in range(0, columns, skip):
        x = LEFT + k * step
        parts.append(text(x, bottom + 14, number(k * found.minutes), size=11))
    parts.append(text(WIDTH - 10, bottom + 28, f"minutes since the first message; strongest: "
                      f"{most} messages", anchor="end", size=11, css="faint"))  # fmt: skip
    return picture("heat", WIDTH, bottom + 34, "Messages by room and time", words, parts)
