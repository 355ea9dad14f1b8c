"""Functions that block need none of asyncio's own few threads, and take none from others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import pytest
from chatlas import ChatOpenAICompletions

from shiny_labchat import Bot, Lab, Message
from shiny_labchat.bots.when import When
from shiny_labchat.chat.streams import _one_by_one
from shiny_labchat.lab.runtime import running
from tests.support.backend import FreshUrl
from tests.support.models.model import Model, Reply, Tool

NOW: dict[str, Any] = {"reading": None, "typing": None}


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
async def taken() -> AsyncIterator[None]:
    """Somebody else's function has taken all of asyncio's own threads."""
    go_on = threading.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    busy = loop.run_in_executor(None, go_on.wait, 60)
    yield
    go_on.set()
    await busy


@pytest.fixture
async def at_work() -> AsyncIterator[None]:
    async with running():
        yield


def says_hi(heard: Sequence[Message]) -> str:
    return "hi"


def is_anns(message: Message) -> bool:
    return message.member == "ann"


@pytest.mark.parametrize("when", ["message", is_anns], ids=["respond", "when"])
async def test_a_bot_speaks_though_asyncios_threads_are_taken(
    lab: Lab, taken: None, at_work: None, when: When
) -> None:
    assert await answer(lab, Bot("b", respond=says_hi, when=when, **NOW)) == "hi"


@pytest.mark.parametrize("what", ["client", "tool"])
async def test_a_models_functions_run_in_other_threads_than_asyncios(
    lab: Lab, at_work: None, what: str
) -> None:
    """Which its own library needs."""
    ran_in: dict[str, str] = {}

    def weather(city: str) -> str:
        """The weather in a city."""
        ran_in["tool"] = threading.current_thread().name
        return "fine"

    def client() -> Any:
        ran_in["client"] = threading.current_thread().name
        client = ChatOpenAICompletions(model="gpt-4.1-nano", api_key="k", base_url=model.url)
        client.register_tool(weather)
        return client

    with Model([Reply(tools=[Tool("weather", {"city": "Oslo"})]), Reply("hi")]) as model:
        assert await answer(lab, Bot("b", client=client, **NOW)) == "hi"
    assert not ran_in[what].startswith(("asyncio", "MainThread"))


async def answer(lab: Lab, bot: Bot) -> str:
    """What a bot says to somebody."""
    room = await lab.create_room("r", study="s")
    await room.add_member("ann")
    room.add_bot(bot)
    await room.post("hello", author="ann")
    async with asyncio.timeout(20):
        while len(said := await room.messages()) < 2:
            pass
    assert said[1].member == bot.id
    return said[1].content


async def test_a_stream_is_read_though_asyncios_threads_are_taken(taken: None) -> None:
    async with asyncio.timeout(20):
        assert [piece async for piece in _one_by_one(iter("abc"))] == ["a", "b", "c"]


async def test_a_generator_that_is_left_in_the_middle_is_closed() -> None:
    is_closed = asyncio.Event()

    async def chunks() -> AsyncIterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            is_closed.set()

    held = chunks()
    async with aclosing(_one_by_one(held)) as pieces:
        assert await anext(pieces) == "a"
    assert is_closed.is_set()


async def test_a_generator_that_blocks_when_it_is_left_is_closed_as_soon_as_it_goes_on() -> None:
    has_begun, go_on, is_closed = threading.Event(), threading.Event(), threading.Event()

    def chunks() -> Iterator[str]:
        try:
            has_begun.set()
            go_on.wait(20)
            yield "a"
        finally:
            is_closed.set()

    held = chunks()
    reading = asyncio.create_task(anext(_one_by_one(held)))
    assert await asyncio.to_thread(has_begun.wait, 20)
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled() and not is_closed.is_set()
    go_on.set()
    assert await asyncio.to_thread(is_closed.wait, 20)
