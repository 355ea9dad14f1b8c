"""A stream of which something else is shown than is said: what a transform makes of it so far."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from shiny_labchat._domain import Part
from shiny_labchat._records import is_text, text_of
from shiny_labchat._streams import OpenStream

__all__ = ["Retell", "Retelling", "with_text"]

Retell = Callable[[str, str, bool], Awaitable[Part | None]]
"""What is shown of a text: takes all so far, what has just come, and whether that is all."""


class Retelling:
    """
    Shows what a transform makes of a stream.

    Where the transform only adds to what it has given before, only that is sent to viewers;
    else all of it again, at most once per tick.

    Parameters
    ----------
    shown
        The stream that viewers see.
    retell
        The transform.

    Attributes
    ----------
    said
        What is said.
    """

    def __init__(self, shown: OpenStream, retell: Retell) -> None:
        self.said = OpenStream(shown.opening)
        self._shown = shown
        self._retell = retell
        self._text: Part | None = None
        self._one_by_one = asyncio.Lock()

    @property
    def original(self) -> str:
        """What is said, as text."""
        return text_of(self.said.parts)

    async def add(self, parts: Sequence[Part], deps: Sequence[Mapping[str, Any]]) -> None:
        """Say more; nothing, when some of it has been taken back."""
        async with self._one_by_one:
            self.said.add(parts, deps)
            chunk = text_of(parts)
            if chunk or not parts:  # thoughts and tools are shown as they are
                self._text = await self._retell(self.original, chunk, False) or self._text
            self._show()

    async def end(self) -> bool:
        """That was all; whether any of it may be shown."""
        async with self._one_by_one:
            self._text = await self._retell(self.original, "", True)
            if self._text is None:
                self._shown.become([], ())
            else:
                self._show()
        return self._text is not None

    def _show(self) -> None:
        parts, shown = with_text(self.said.parts, self._text), self._shown.parts
        more = _growth(shown, parts)
        if more is None:
            self._shown.become(parts, self.said.deps)
        else:
            known = self._shown.deps
            self._shown.add(more, [dep for dep in self.said.deps if dep not in known])


def with_text(parts: Sequence[Part], text: Part | None) -> list[Part]:
    """Parts with `text` in the place of all their text, where that begins."""
    first = next((at for at, (kind, _) in enumerate(parts) if is_text(kind)), len(parts))
    before, after = parts[:first], [part for part in parts[first:] if not is_text(part[0])]
    return [*before, *([text] if text and text[1] else []), *after]


def _growth(shown: Sequence[Part], wanted: Sequence[Part]) -> Sequence[Part] | None:
    """What must be added to what is shown; None: some of that is not wanted any more."""
    if not shown:
        return wanted
    last = len(shown) - 1
    if len(wanted) <= last or wanted[:last] != shown[:last]:
        return None
    (kind, text), (wanted_kind, wanted_text) = shown[last], wanted[last]
    if kind != wanted_kind:
        return None
    if text == wanted_text:
        return wanted[last + 1 :]
    if not isinstance(text, str) or not wanted_text.startswith(text):
        return None
    return [(kind, wanted_text[len(text) :]), *wanted[last + 1 :]]
