"""
What a server does for people who have withdrawn, and for the days that studies have set.

It is done at its start, withdrawals also as people ask for them, and the rest once a day.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable

from shiny_labchat.errors import LabChatError
from shiny_labchat.lab.retention import retain
from shiny_labchat.lab.withdrawing import apply_ledger, clean, withdraw_due
from shiny_labchat.store import Log
from shiny_labchat.store.who import Asked, asked

__all__ = ["Duties"]

logger = logging.getLogger("shiny_labchat")

AGAIN = 24 * 3600.0
"""Pause between two looks at what is due by the days that studies have set, in seconds."""


class Duties:
    """
    What is to be done for one lab.

    Parameters
    ----------
    log
        The lab's log.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._asked = Asked()
        self._daily_at = 0.0
        self._trouble: dict[str, str] = {}

    async def do(self) -> None:
        """Do what is due; this costs nothing as long as nothing has happened."""
        if not self._log.exists:
            return
        if time.monotonic() >= self._daily_at:
            daily = apply_ledger, retain, _clean_rest
            if all([await self._has_done(each.__name__, each(self._log)) for each in daily]):
                self._daily_at = time.monotonic() + AGAIN
        await self._has_done("asked", self._withdraw_asking())

    async def _has_done(self, name: str, job: Awaitable[object]) -> bool:
        """Whether one duty is done; if not, the others are, and it is tried again."""
        try:
            await job
        except (LabChatError, OSError) as exc:
            trouble = f"withdrawals in {self._log!r} are not done; trying again: {exc}"
            if trouble != self._trouble.get(name):
                logger.error(trouble)
            self._trouble[name] = trouble
            return False
        self._trouble.pop(name, None)
        return True

    async def _withdraw_asking(self) -> None:
        asked_now = await self._log.read(lambda conn: asked(conn, self._asked))
        trouble: LabChatError | None = None
        for study in asked_now.studies:
            try:
                await withdraw_due(self._log, study)
            except LabChatError as exc:
                trouble = exc
        if trouble is not None:
            raise trouble
        self._asked = asked_now


async def _clean_rest(log: Log) -> None:
    if not await asyncio.to_thread(lambda: log.ledger.is_cleaned):
        await clean(log)
