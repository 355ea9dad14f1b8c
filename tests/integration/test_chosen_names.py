"""The name that somebody has chosen is theirs in all rooms of the study that have its names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from shiny_labchat import Lab
from tests.support.backend import FreshUrl
from tests.support.server import Server, shiny_run
from tests.support.visitor import visitor

APP = Path(__file__).parent / "apps" / "named.py"


@pytest.fixture
def server(fresh_url: FreshUrl) -> Iterator[Server]:
    server = Server(shiny_run(APP), fresh_url())
    yield server
    server.stop()


async def test_a_chosen_name_is_theirs_in_other_rooms_too(server: Server) -> None:
    await asyncio.to_thread(server.start)
    lab = Lab(server.url)
    async with AsyncExitStack() as stack:
        both = [await stack.enter_async_context(visitor(server.port)) for _ in range(2)]
        for each, name in zip(both, ("Ann", "Bob"), strict=True):
            await each.sees("name")
            await each.does("name", name=name)
        for each in both:
            await each.until(lambda page=each: page.chat is not None)
        members = await lab.room("hall", study="named").members()
        assert {each.pseudonym for each in members} == {"Ann", "Bob"}
    lab.log.close()
