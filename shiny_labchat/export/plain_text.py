"""
The format text: a file for each room, as MAXQDA, NVivo and ATLAS.ti read conversations.

A message begins with its author's name and a colon; there is an empty line between messages. All
lines of a message but its first are indented, so that none passes for another's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import orjson

from shiny_labchat.domain.speakers import named
from shiny_labchat.export.format import About, Destination, Row, Table

__all__ = ["TextFormat", "file_name"]

WITHDRAWN = "[withdrawn]"
"""Stands where somebody has withdrawn what they wrote."""
RETRACTED = "(retracted)"
"""Stands before a message that was retracted."""
NOT_SHARED = "[not shared]"
"""Stands in a public export where somebody did not agree to share what they wrote."""
_LONGEST = 80


class TextFormat:
    """
    One text file for each room.

    Parameters
    ----------
    to
        Where to.
    """

    def __init__(self, to: Destination) -> None:
        self._folder = to.folder
        self._has_several = len(to.studies) > 1

    def open(self, table: Table) -> _Rooms | None:
        """Begin a table: messages are written, other tables are not."""
        if table.name != "messages":
            return None
        return _Rooms(self._folder, [column.name for column in table.columns], self._has_several)

    def finish(self, about: About) -> Mapping[str, Path]:
        """No table can be read from it."""
        return {}


class _Rooms:
    """Writes messages, room after room."""

    def __init__(self, folder: Path, columns: Sequence[str], has_several: bool) -> None:
        self._folder = folder
        self._columns = columns
        self._has_several = has_several
        self._taken: set[str] = set()
        self._room: tuple[str, str] | None = None
        self._file: TextIO | None = None

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            message = dict(zip(self._columns, row, strict=True))
            room = message["study"], message["room"]
            if room != self._room:
                self._begin(room)
            elif self._file is not None:
                self._file.write("\n")
            if self._file is not None:
                self._file.write(f"{_line(message)}\n")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _begin(self, room: tuple[str, str]) -> None:
        self.close()
        self._room = room
        name = file_name(" - ".join(room) if self._has_several else room[1], self._taken)
        self._taken.add(name.casefold())
        self._file = (self._folder / f"{name}.txt").open("w", encoding="utf-8", newline="\n")


def _line(message: Mapping[str, Any]) -> str:
    text = NOT_SHARED if message["text"] is None else message["text"]
    text = WITHDRAWN if message["withdrawn"] else text
    is_members = message["member"] is not None
    said = named(text, message["pseudonym"], role=message["role"], is_members=is_members)
    said = f"{RETRACTED} {said}" if message["retracted"] else said
    if message["audience"] is None:
        return said
    return f"(to {', '.join(orjson.loads(message['audience'])) or 'nobody'}) {said}"


def file_name(name: str, taken: set[str]) -> str:
    """
    A name as that of a file on any system, and of no other file.

    Parameters
    ----------
    name
        The name.
    taken
        The names that other files have, in small letters.
    """
    safe = re.sub(r"[^\w .()+=@,-]+", "_", name)[:_LONGEST].strip(". ") or "_"
    if re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", safe.casefold()):
        safe = f"_{safe}"
    unique, number = safe, 1
    while unique.casefold() in taken:
        number += 1
        unique = f"{safe} {number}"
    return unique
