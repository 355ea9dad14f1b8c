"""A group whose people may be replaced by bots, as its log has it; no lobby runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from shiny_labchat import Lab, Room
from shiny_labchat.domain.commands import (
    Advance,
    Arrive,
    Consent,
    DescribeLobby,
    DescribeStudy,
    EnterLobby,
    Replace,
    ShowRoom,
)
from shiny_labchat.domain.commands.lobby import LobbySigns
from shiny_labchat.live.room import LiveRoom
from tests.support.client import PATIENCE

TOLD = {"text": "Text", "version": "1", "items": {}, "required": [], "replacement": True}
STUDY = {"seed": 7, "consent": TOLD, "debrief": {"text": "So.", "keep": False}, "deceives": True}
RULES = {"on_gone": "bot:stand-in", "grace": 3600, "rate": None, "starts": "open"}
"""A place that is taken stays empty for some minutes at least."""


async def group_of(lab: Lab, people: Sequence[str], **rules: Any) -> Room:
    """The room of a group of these people, who are shown it under their own names."""
    size = [len(people)] * 3
    settings = {"settle": 0, "ready": None, "avoid": None, "group_size": size}
    settings |= {"rules": {**RULES, **rules}}
    together = lab.log.submit_together
    await together(DescribeStudy("s", "seed", STUDY))
    await together(DescribeLobby("s", "l", "seed", settings))
    for person in people:
        await together(Arrive("s", person))
        await together(Consent("s", person, "1"))
        await together(EnterLobby("s", "l", person))
    now = time.time_ns() // 1000
    await together(Advance("s", "l", LobbySigns(dict.fromkeys(people, now)), "random"))
    await together(ShowRoom("s", "l-1", "none"))
    room = lab.room("l-1", study="s")
    for person in people:
        await room.add_member(person, name_of(person))
    return room


async def is_up_to_date(room: Room, live: LiveRoom) -> None:
    """Wait until a live room has all of its log: it reads it anew after a retraction."""
    seq = (await room.state()).seq
    async with asyncio.timeout(PATIENCE):
        while live.state.seq < seq or live._catching_up is not None:
            await asyncio.to_thread(int)


def name_of(person: str) -> str:
    """The name with which somebody is shown, which is part of no other word."""
    return f"{person.title()}ZZ"


async def replace(lab: Lab, person: str) -> str:
    """A bot takes somebody's place; its id."""
    await lab.log.submit_together(Replace("s", "l-1", (person,), f"random {person}"))
    bots = (await lab.room("l-1", study="s").state()).bots()
    return next(each.member for each in bots if each.replaces == person)
