"""A stream that is transformed while it grows: the result is shown, not the original."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from shiny_labchat.domain.events import Part
from shiny_labchat.domain.messages import is_text, text_of
from shiny_labchat.storable import storable
from shiny_labchat.streams.commits import TICK
from shiny_labchat.streams.content import StreamContent

__all__ = ["StreamTransform", "TransformedStream", "with_text"]

StreamTransform = Callable[[str, str, bool], Awaitable[Part | None]]
"""Returns what is shown: takes the text so far, what is new in it, and whether it is complete."""


class TransformedStream:
    """
    Shows the result of a transform instead of the original content.

    The transform is called at most once per tick, and at the end; what is the same as before is
    not sent again.

    Parameters
    ----------
    shown
        The stream that viewers see.
    transform
        The transform.
    changed
        Called when there is something new to be shown.

    Attributes
    ----------
    said
        The original content.
    """

    def __init__(
        self, shown: StreamContent, transform: StreamTransform, changed: Callable[[], None]
    ) -> None:
        self.said = StreamContent(shown.opening)
        self._shown = shown
        self._transform = transform
        self._changed = changed
        self._text: Part | None = None
        self._come: list[str] = []
        self._is_due = False
        self._due = 0.0
        self._asking: asyncio.Task[None] | None = None
        self._one_by_one = asyncio.Lock()
        self._failure: Exception | None = None

    @property
    def original(self) -> str:
        """The original content, as text."""
        return text_of(self.said.parts)

    def add(self, parts: Sequence[Part], deps: Sequence[Mapping[str, Any]]) -> None:
        """
        Add original content; empty `parts` after some of it was taken back.

        Raises
        ------
        Exception
            The exception that the transform has raised before.
        """
        if self._failure is not None:
            raise self._failure
        self.said.append(parts, deps)
        chunk = text_of(parts)
        if chunk or not parts:
            self._come.append(chunk)
            self._is_due = True
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask_in_time())
        else:  # thoughts and tools are shown as they are
            self._show()

    def truncate(self, pieces: int) -> None:
        """Take back all but the first pieces of the original content."""
        self.said.truncate(pieces)
        self._come.clear()

    async def end(self) -> bool:
        """End the original content; return whether any of the result may be shown."""
        async with self._one_by_one:  # a call that is under way is awaited
            if self._asking is not None:
                self._asking.cancel()
            if self._failure is not None:
                raise self._failure
            self._text = await self._ask(True)
            if self._text is None:
                self._shown.become([], ())
            else:
                self._show()
        return self._text is not None

    async def _ask_in_time(self) -> None:
        loop = asyncio.get_running_loop()
        while self._is_due:
            await asyncio.sleep(self._due - loop.time())
            async with self._one_by_one:
                self._is_due = False
                self._due = loop.time() + TICK
                try:
                    self._text = await self._ask(False) or self._text
                    self._show()
                except Exception as exc:
                    self._failure = exc
                    return

    async def _ask(self, is_all: bool) -> Part | None:
        come = "".join(self._come)
        self._come.clear()
        part = await self._transform(self.original, come, is_all)
        return part and (part[0], storable(part[1]))

    def _show(self) -> None:
        self._shown.become(with_text(self.said.parts, self._text), self.said.deps)
        self._changed()


def with_text(parts: Sequence[Part], text: Part | None) -> list[Part]:
    """Parts with all their text replaced by `text`, at the place of the first text."""
    first = next((at for at, (kind, _) in enumerate(parts) if is_text(kind)), len(parts))
    before, after = parts[:first], [part for part in parts[first:] if not is_text(part[0])]
    return [*before, *([text] if text and text[1] else []), *after]
