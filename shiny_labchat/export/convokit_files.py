"""JSON files as ConvoKit reads them: of ASCII, as it opens files in the encoding of the system."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["JsonObject", "dumped", "types_of"]


def dumped(value: object) -> bytes:
    """A value as a line of JSON."""
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"


def types_of(fields: Mapping[str, type]) -> dict[str, list[str]]:
    """The types of fields, as ConvoKit's index has them."""
    return {name: [str(type)] for name, type in fields.items()}


class JsonObject:
    """
    A file with one JSON object, whose members are added one by one.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._file.write(b"{")
        self._separator = b"\n"

    def add(self, name: str, value: Any) -> None:
        """Add a member."""
        member = dumped({name: value}).rstrip()[1:-1]
        self._file.write(self._separator + member)
        self._separator = b",\n"

    def close(self) -> None:
        """End the object, and close the file."""
        self._file.write(b"\n}\n")
        self._file.close()
