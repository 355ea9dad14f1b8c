"""
What a server does for people who have withdrawn, and for the days that studies have set.

It is done at its start, withdrawals also as people ask for them, and the rest once a day.
"""

from __future__ import annotations

import asyncio
import logging
import time

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
        self._trouble = ""

    async def do(self) -> None:
        """Do what is due; this costs nothing as long as nothing has happened."""
        if not self._log.exists:
            return
        try:
            if time.monotonic() >= self._daily_at:
                await self._do_daily()
                self._daily_at = time.monotonic() + AGAIN
            asked_now = await self._log.read(lambda conn: asked(conn, self._asked))
            for study in asked_now.studies:
                await withdraw_due(self._log, study)
            self._asked = asked_now
            self._trouble = ""
        except (LabChatError, OSError) as exc:
            trouble = f"withdrawals in {self._log!r} are not done; trying again: {exc}"
            if trouble != self._trouble:
                logger.error(trouble)
            self._trouble = trouble

    async def _do_daily(self) -> None:
        await apply_ledger(self._log)
        await retain(self._log)
        if not await asyncio.to_thread(lambda: self._log.ledger.is_cleaned):
            await clean(self._log)
