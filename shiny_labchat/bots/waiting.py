"""Waiting until a bot that is shown as a participant may write, where people write in turn."""

from __future__ import annotations

import asyncio
import time

from shiny_labchat.domain.limits import WAITS, silence_at
from shiny_labchat.live.room import LiveRoom

__all__ = ["until_it_may_write"]

LOOK = 0.2
"""How often it is looked whether a bot may write, in seconds."""
LONGEST_WAIT = 600.0
"""So long a bot waits for its turn, in seconds; then it says nothing."""


async def until_it_may_write(live: LiveRoom, bot: str) -> None:
    """Wait as long as it is not the bot's turn, or it has written just now, as people wait."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_WAIT
    while loop.time() < until:
        membership = live.state.membership(bot)
        now = time.time_ns() // 1000
        if membership is None or silence_at(live.state, membership, now) not in WAITS:
            return
        await asyncio.sleep(LOOK)
