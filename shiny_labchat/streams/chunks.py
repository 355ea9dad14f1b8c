"""Joining chunks of text that may be cut in the middle of a character."""

from __future__ import annotations

from collections.abc import Sequence

from shiny_labchat.domain.events import Part
from shiny_labchat.storable import storable

__all__ = ["ChunkJoiner"]


class ChunkJoiner:
    """Joins the halves of a character (UTF-16 surrogates) that come in two chunks."""

    def __init__(self) -> None:
        self._half: Part | None = None

    def join(self, parts: Sequence[Part]) -> list[Part]:
        """The parts that can be shown now; half a character at the end waits for the next chunk."""
        parts = [*parts]
        if self._half is not None:
            kind, half = self._half
            if parts and parts[0][0] == kind:
                parts[0] = kind, half + parts[0][1]
            else:
                parts.insert(0, self._half)
            self._half = None
        if parts and isinstance(parts[-1][1], str) and "\ud800" <= parts[-1][1][-1:] <= "\udbff":
            kind, text = parts.pop()
            self._half = kind, text[-1]
            if text[:-1]:
                parts.append((kind, text[:-1]))
        return [(kind, storable(content)) for kind, content in parts]

    def end(self) -> list[Part]:
        """The half that still waits, when nothing more comes."""
        half, self._half = self._half, None
        return [] if half is None else [(half[0], storable(half[1]))]
