"""
Limits on sockets: how many may be open before admission, and how many a member may have.

They limit how much one visitor can slow the server down for all. They are high, as a whole class
may come from one address, and all at once after a restart.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager

from shiny_labchat.errors import Refused

__all__ = ["SOCKETS_EACH", "WAITING", "WAITING_PER_ADDRESS", "OpenSockets", "WaitingSockets"]

WAITING = 4_000
"""Sockets that may be open before a valid hello, in all."""
WAITING_PER_ADDRESS = 1_000
"""Sockets that may be open before a valid hello, from one address."""
SOCKETS_EACH = 30
"""Sockets that one member may have open to one room; one more closes the oldest."""


class WaitingSockets:
    """Counts the sockets that have not said a valid hello yet."""

    def __init__(self) -> None:
        self._waiting: Counter[str] = Counter()

    @contextmanager
    def waiting(self, address: str) -> Generator[None]:
        """
        Count a socket from an address as waiting, inside the ``with`` block.

        Raises
        ------
        Refused
            ``busy``: too many sockets wait already.
        """
        if self._waiting[address] >= WAITING_PER_ADDRESS or self._waiting.total() >= WAITING:
            raise Refused("busy")
        self._waiting[address] += 1
        try:
            yield
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]


class OpenSockets:
    """The open sockets of each member in each room."""

    def __init__(self) -> None:
        self._open: dict[Hashable, deque[Callable[[], None]]] = {}

    @contextmanager
    def open(self, whose: Hashable, give_up: Callable[[], None]) -> Generator[None]:
        """Count a socket as open; `give_up` is called on the oldest if there are too many."""
        sockets = self._open.setdefault(whose, deque())
        sockets.append(give_up)
        if len(sockets) > SOCKETS_EACH:
            sockets.popleft()()
        try:
            yield
        finally:
            if give_up in sockets:
                sockets.remove(give_up)
            if not sockets and self._open.get(whose) is sockets:
                del self._open[whose]
