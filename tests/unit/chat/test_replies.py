"""Who asks a model at the same time is answered in order."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from openai import AsyncOpenAI

from shiny_labchat.chat.replies import Replies
from shiny_labchat.chat.reply_queue import ReplyQueue


class Crowd:
    """Some who each wait for their turn in a line, and take it until they are told to go on."""

    def __init__(self) -> None:
        self.queue = ReplyQueue()
        self.taken: list[int] = []
        self.may_go = asyncio.Semaphore(0)

    async def take(self, seq: int) -> None:
        async with self.queue.turn(seq):
            self.taken.append(seq)
            await self.may_go.acquire()

    async def begin(self, *seqs: int) -> list[asyncio.Task[None]]:
        """Let these wait, one after the other."""
        tasks = [asyncio.create_task(self.take(seq)) for seq in seqs]
        await asyncio.wait(tasks, timeout=0.01)
        return tasks

    async def end(self, tasks: list[asyncio.Task[None]]) -> None:
        """Let all go on, and wait for them."""
        for _ in tasks:
            self.may_go.release()
        await asyncio.wait(tasks, timeout=5)


async def test_of_those_who_wait_the_earliest_message_is_next() -> None:
    crowd = Crowd()
    tasks = await crowd.begin(5, 9, 7, 3, 8)
    assert crowd.taken == [5]
    await crowd.end(tasks)
    assert crowd.taken == [5, 3, 7, 8, 9]


async def test_who_gives_up_keeps_nobody_waiting() -> None:
    crowd = Crowd()
    first, second, third, fourth = await crowd.begin(1, 2, 3, 4)
    third.cancel()
    await asyncio.wait([third])
    first.cancel()
    await asyncio.wait([first])
    second.cancel()  # it has just been its turn
    await asyncio.wait([second])
    await crowd.end([fourth])
    assert fourth.done() and crowd.taken[-1] == 4 and 3 not in crowd.taken


async def test_what_fails_keeps_nobody_waiting() -> None:
    queue = ReplyQueue()
    with pytest.raises(LookupError):
        async with queue.turn(1):
            raise LookupError
    async with asyncio.timeout(5), queue.turn(2):
        pass


@pytest.mark.parametrize("model", [AsyncOpenAI(api_key="key"), "gpt-4.1"], ids=["openai", "text"])
def test_for_a_model_of_another_framework_a_handler_is_named(model: Any) -> None:
    with pytest.raises(TypeError, match="client must be a chatlas Chat") as wrong:
        Replies(model, "always", "asker", cast("Any", None))
    *_, one, two, three = (line.strip() for line in str(wrong.value).splitlines())
    assert (one, two) == ("@chat.on_user_submit", "async def reply(text: str):")
    assert three == "await chat.append_message_stream(client.stream(text))"
