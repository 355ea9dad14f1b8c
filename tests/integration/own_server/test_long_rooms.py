"""Reading a long room for the first time: who reads it waits, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.live.window import WINDOW
from tests.support.client import Browser, browser
from tests.support.page import Page, page
from tests.support.server import Server

APP = ["-m", "uvicorn", "tests.integration.apps.long_rooms:app"]
SIZE = WINDOW + 100


@pytest.fixture
async def room(lab: Lab) -> Room:
    room = await lab.create_room("long", study="tests", rules=Rules(rate=None))
    await asyncio.gather(*(room.post(f"{n}") for n in range(SIZE)))
    return room


async def asks(server: Server, path: str) -> Any:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{server.port}/{path}")).json()


@asynccontextmanager
async def come(
    server: Server, path: str = "", outputs: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Page, Browser]]:
    """A page of an app, and its chat's socket."""
    where = f"/{path}/websocket/" if path else "/websocket/"
    async with page(server.port, path=where, outputs=outputs) as opened:
        async with browser(server.port) as socket:
            await socket.hello(ticket=await opened.ticket())
            yield opened, socket


async def test_a_handler_that_reads_nothing_has_nothing_read(server: Server, room: Room) -> None:
    async with come(server) as (_, ann), come(server) as (_, bob):
        await ann.says("hello")
        await bob.says("and hello")
        await ann.sees("and hello")
        assert (await asks(server, "read"))["slices"] == 0


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("messages", f"{SIZE + 1}, the last is messages"),
        ("turns", f"{SIZE} turns before it"),
        ("stream", f"a stream read {SIZE + 1}"),
    ],
)
async def test_a_handler_goes_on_where_it_was_and_others_meanwhile(
    server: Server, room: Room, word: str, answer: str
) -> None:
    async with come(server) as (_, ann), come(server) as (_, bob):
        await ann.says(word)
        await asks(server, "begun")
        await bob.says("meanwhile")
        await ann.sees("meanwhile")
        assert answer not in ann.texts
        await asks(server, "go")
        await ann.until(lambda: answer in ann.texts)


async def test_a_transform_waits_too(server: Server, room: Room) -> None:
    async with come(server, "transforming") as (_, ann), come(server) as (_, bob):
        await ann.tell(t="send", text="hello", cid="c-1")
        await asks(server, "begun")
        await bob.says("meanwhile")
        await asks(server, "go")
        await bob.sees(f"made of it: after {SIZE + 1} others")


async def test_outputs_are_silent_until_it_is_read(server: Server, room: Room) -> None:
    async with come(server, "reading", outputs=("said",)) as (opened, ann):
        await asks(server, "begun")
        await ann.says("meanwhile")
        await ann.sees("meanwhile")
        assert not opened.values.get("said")
        await asks(server, "go")
        await opened.until(lambda: opened.values.get("said") == f"{SIZE + 1}: meanwhile")


async def test_a_click_is_handled_once(server: Server, room: Room) -> None:
    async with come(server, "clicking") as (opened, ann), come(server) as (_, bob):
        await opened.update(**{"go:shiny.action": 1})
        await asks(server, "begun")
        await bob.says("meanwhile")
        await ann.sees("meanwhile")
        await asks(server, "go")
        await ann.sees(f"{SIZE + 1} at the click")
        assert (await asks(server, "read"))["clicked"] == [1]
