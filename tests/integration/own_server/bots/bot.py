"""What tests of bots share: bots that do as they are told, and what is on record of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest

from shiny_labchat import Message, Room
from shiny_labchat.bots import AuditEntry

__all__ = [
    "AT_ONCE",
    "a_bot",
    "echo",
    "is_anns",
    "outcomes",
    "rows",
    "settled",
    "texts",
    "until",
]

AT_ONCE: Mapping[str, Any] = {"reading": None, "typing": None}


def a_bot(
    rules: Mapping[str, Any] = MappingProxyType({}), *, transforms: bool = False, **options: Any
) -> pytest.MarkDecorator:
    """What the bot of a test's server is like, the rules of its room, and if words are changed."""
    told = {"BOT": json.dumps(options), "RULES": json.dumps({"rate": None, **rules})}
    if transforms:
        told["TRANSFORMS"] = "yes"
    return pytest.mark.parametrize("server", [told], indirect=True)


def echo(messages: Sequence[Message]) -> str:
    """Say what was said last."""
    return f"I heard: {messages[-1].content}"


def is_anns(message: Message) -> bool:
    """Whether ann has said it, so that bots do not hear each other."""
    return message.member == "ann"


async def until(is_so: Callable[[], Awaitable[object]], within: float = 20.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within):
        while not await is_so():
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.02)


async def settled(room: Room, number: int, within: float = 20.0) -> list[AuditEntry]:
    """Wait until so many entries of a room's audit are there and over; gives all."""

    async def is_so() -> bool:
        return len([each for each in await room.audit() if each.outcome != "open"]) >= number

    await until(is_so, within)
    return await room.audit()


async def outcomes(room: Room, number: int) -> list[tuple[str, str | None]]:
    """What has become of each entry, and why, when so many are over."""
    return [(each.outcome, each.reason) for each in await settled(room, number)]


async def texts(room: Room, by: str = "machine") -> list[str]:
    """What a member has said."""
    return [message.content for message in await room.messages() if message.member == by]


def rows(entries: Sequence[AuditEntry]) -> list[AuditEntry]:
    """The entries of calls."""
    return [entry for entry in entries if entry.is_call]
