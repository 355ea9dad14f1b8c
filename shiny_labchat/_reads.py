"""Reactive reads of what changes outside Shiny's reactive graph."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakValueDictionary

from shiny import reactive
from shiny.reactive import get_current_context
from shiny.session import Session

from shiny_labchat._shiny import flush_soon

__all__ = ["Reads"]


class Reads:
    """
    Who has read what, so that they run again when it changes; who reads nothing costs nothing.

    Parameters
    ----------
    session
        Whose readers they are.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._readers: dict[str, WeakValueDictionary[int, reactive._core.Context]] = {}

    def depend(self, topic: str) -> None:
        """
        The running reactive function shall run again when `topic` changes.

        Raises
        ------
        RuntimeError
            No reactive function is running, nor `reactive.isolate()`.
        """
        context = get_current_context()
        readers = self._readers.setdefault(topic, WeakValueDictionary())
        if context.id not in readers:
            readers[context.id] = context
            context.on_invalidate(lambda: readers.pop(context.id, None))

    def changed(self, topics: Iterable[str]) -> None:
        """Run again, soon, whoever has read one of `topics`."""
        contexts = [
            context
            for topic in topics
            for context in tuple(self._readers.get(topic, {}).values())
        ]
        for context in contexts:
            context.invalidate()
        if contexts:
            flush_soon(self._session)
