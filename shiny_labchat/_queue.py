"""What an app does with one message after the other."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["Queue"]

logger = logging.getLogger("shiny_labchat")

Work = Callable[[], Coroutine[Any, Any, None]]


class Queue:
    """
    Work that is done in order, one piece at a time.

    Each piece is a task of its own: whatever becomes of it, and of the task, the next is done.
    Only who may put something into it can fill it.
    """

    def __init__(self) -> None:
        self._waiting: deque[Work] = deque()
        self._task: asyncio.Task[None] | None = None

    def put(self, work: Work) -> None:
        """Have something done after what is there already."""
        self._waiting.append(work)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def idle(self) -> None:
        """Wait until all is done."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while self._waiting:
            task = asyncio.create_task(self._waiting.popleft()())
            await asyncio.wait([task])
            if task.cancelled():
                logger.error("what became of a message was cancelled")
            elif (error := task.exception()) is not None:
                logger.error("what was to become of a message failed", exc_info=error)
