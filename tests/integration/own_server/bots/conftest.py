"""Rooms in which bots of this process are at work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from chatlas import ChatOpenAICompletions

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.lab.runtime import running
from tests.support.models.model import Model


@pytest.fixture
async def room(lab: Lab) -> Room:
    return lab.room("r", study="s", rules=Rules(rate=None, max_composing=9))


@pytest.fixture
async def ann(room: Room) -> str:
    """A person in the room."""
    return (await room.add_member("ann", "Ann")).id


@pytest.fixture
async def at_work() -> AsyncIterator[None]:
    """Bots work in this process until the test ends."""
    async with running():
        yield


@pytest.fixture
async def client(model: Model, at_work: None) -> AsyncIterator[Callable[..., Any]]:
    """Makes clients as people make them: their own connections would try twice more."""
    made: list[Any] = []

    def make(of: Model = model) -> Any:
        options: dict[str, Any] = {"model": "gpt-4.1-nano", "api_key": "key", "base_url": of.url}
        made.append(ChatOpenAICompletions(system_prompt="Be brief.", **options))
        return made[-1]

    yield make
    for each in made:
        await each.close_async()
