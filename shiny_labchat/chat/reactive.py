"""Reactive reads of data that changes outside Shiny's reactive graph."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakValueDictionary

from shiny.reactive._core import Context, get_current_context
from shiny.session import Session

from shiny_labchat.chat.shiny_internals import flush_soon

__all__ = ["ReactiveReads"]


class ReactiveReads:
    """
    The reactive functions that have read each topic, to run again when it changes.

    A session in which nothing is read costs nothing.

    Parameters
    ----------
    session
        The session of the reactive functions.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._readers: dict[str, WeakValueDictionary[int, Context]] = {}

    @property
    def are_any(self) -> bool:
        """Whether anything has been read yet."""
        return bool(self._readers)

    def depend(self, topic: str) -> None:
        """
        Run the current reactive function again when `topic` changes.

        Raises
        ------
        RuntimeError
            No reactive function is running, nor `reactive.isolate()`.
        """
        context = get_current_context()
        readers = self._readers.setdefault(topic, WeakValueDictionary())
        if context.id not in readers:
            readers[context.id] = context

            def forget() -> None:
                readers.pop(context.id, None)

            context.on_invalidate(forget)

    def changed(self, topics: Iterable[str]) -> None:
        """Run again, soon, all reactive functions that have read one of `topics`."""
        known = [self._readers[topic] for topic in topics if topic in self._readers]
        contexts = [context for readers in known for context in tuple(readers.values())]
        for context in contexts:
            context.invalidate()
        if contexts:
            flush_soon(self._session)
