"""Who is told of what was stored: the senders of commands, and those who listen, each in a loop."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from shiny_labchat.domain.events import LogKey
from shiny_labchat.store.work import Committed, Listener, Work

__all__ = ["Listeners"]

logger = logging.getLogger("shiny_labchat")


class Listeners:
    """
    Those who listen to one writer.

    Attributes
    ----------
    listening
        By event loop, the listener that is called with new events of watched rooms.
    overhearing
        By event loop, the listener that is called with new events of any room; with an empty
        list when another process has written: the events are in the log.
    watched
        The rooms whose commits are wanted, and how many times each is watched.
    """

    def __init__(self) -> None:
        self.listening: dict[asyncio.AbstractEventLoop, Listener] = {}
        self.overhearing: dict[asyncio.AbstractEventLoop, Listener] = {}
        self.watched: Counter[LogKey] = Counter()

    @property
    def are_any(self) -> bool:
        """Whether anybody wants to hear of other processes' commits."""
        return bool(self.watched or self.overhearing)

    def tell(self, batch: Iterable[Work], news: list[Committed]) -> None:
        """Tell the senders of a batch its results, and the listeners what was stored."""
        waiting: dict[asyncio.AbstractEventLoop, list[Work]] = {}
        for work in batch:
            waiting.setdefault(work.loop, []).append(work)
        heard = [item for item in news if item.log in self.watched]
        overheard = self.overhearing if news else ()
        for loop in {*waiting, *(self.listening if heard else ()), *overheard}:
            self._call(loop, self._deliver, loop, waiting.get(loop, ()), heard, news)

    def ring(self) -> None:
        """Call those who overhear: another process has written."""
        for loop, listener in tuple(self.overhearing.items()):
            self._call(loop, listener, [])

    def _call(
        self, loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *args: Any
    ) -> None:
        try:
            loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # the loop is closed: nobody waits there
            self.listening.pop(loop, None)
            self.overhearing.pop(loop, None)

    def _deliver(
        self,
        loop: asyncio.AbstractEventLoop,
        works: Iterable[Work],
        heard: list[Committed],
        news: list[Committed],
    ) -> None:
        for work in works:
            try:
                work.tell(work.result, work.error)
            except Exception:
                logger.exception("a sender could not be told the result of a command")
        if heard and loop in self.listening:
            self.listening[loop](heard)
        if news and loop in self.overhearing:
            self.overhearing[loop](news)
