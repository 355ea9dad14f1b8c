"""
Work that is done again whenever something is new, in the caller's turn where it need not wait.

A switch to the task of each of a room's sockets costs more than what is done there: so a round is
begun at once, and only what is left of one that has to wait is the task's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from typing import Any

__all__ = ["Rounds"]


class Rounds:
    """
    The rounds of one socket, one after the other.

    Parameters
    ----------
    work
        Makes a round.
    at_once
        Whether a round may be begun outside of the task. It must not need one until it first waits:
        no `asyncio.timeout`, no `asyncio.current_task`.
    """

    def __init__(
        self, work: Callable[[], Coroutine[Any, Any, None]], *, at_once: bool = True
    ) -> None:
        self._work = work
        self._at_once = at_once
        self._context = copy_context()
        self._is_due = False
        self._is_resting = False
        self._handed: asyncio.Future[_Begun | None] | None = None
        self._begun: _Begun | None = None

    @property
    def is_due(self) -> bool:
        """Whether there is to be another round after the one that is under way."""
        return self._is_due

    def wake(self) -> None:
        """Have a round, at once if it may be; while one is under way, one more after it."""
        self._is_due = True
        handed = self._handed
        if self._is_resting and handed is not None and not handed.done():  # else it is cancelled
            self._is_resting = False
            if self._at_once:
                self._step(handed)
            else:
                handed.set_result(None)

    def _step(self, handed: asyncio.Future[_Begun | None]) -> None:
        """Do rounds as long as none has to wait; leave one that has to, or fails, to `run`."""
        try:
            while self._is_due:
                self._is_due = False
                round = self._work()
                try:
                    waits_for = self._context.run(round.send, None)
                except StopIteration:
                    continue
                self._begun = _Begun(round, waits_for)
                handed.set_result(self._begun)
                return
        except BaseException as exc:
            handed.set_exception(exc)
            return
        self._is_resting = True

    async def run(self) -> None:
        """Do rounds for ever, from the first `wake` on; raises what a round raises."""
        try:
            while True:
                while self._is_due:
                    self._is_due = False
                    await self._work()
                self._handed = asyncio.get_running_loop().create_future()
                self._is_resting = True
                begun = await self._handed
                self._begun = None
                if begun is not None:
                    await begun
        finally:
            self._is_resting = False
            if self._begun is not None:
                self._begun.close()


class _Begun:
    """The rest of a round that has been begun, and waits for something."""

    def __init__(self, round: Coroutine[Any, Any, None], waits_for: Any) -> None:
        self._round = round
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        try:
            yield self._waits_for
        except BaseException:  # the task was cancelled
            self._round.close()
            raise
        yield from self._round.__await__()

    def close(self) -> None:
        """Leave the round where it is: the task was cancelled before it could go on with it."""
        self._round.close()
