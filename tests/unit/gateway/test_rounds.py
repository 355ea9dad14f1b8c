"""Rounds are done at once, one after the other, and by the task where they have to wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.gateway.rounds import Rounds

pytestmark = pytest.mark.anyio
spoken = ContextVar("spoken", default="nobody")


@asynccontextmanager
async def running(work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[Rounds]:
    """Rounds, and their task, which rests."""
    rounds = Rounds(work)
    task = asyncio.create_task(rounds.run())
    await asyncio.wait([task], timeout=0)
    try:
        yield rounds
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_what_need_not_wait_is_done_when_wake_returns() -> None:
    done = list[asyncio.Task[Any] | None]()

    async def work() -> None:
        done.append(asyncio.current_task())

    async with running(work) as rounds:
        for n in range(1, 4):
            rounds.wake()
            assert len(done) == n


async def test_what_has_to_wait_goes_on_in_the_task_and_is_not_done_twice_at_once() -> None:
    go_on, steps = asyncio.Event(), list[str]()

    async def work() -> None:
        steps.append("begun")
        await go_on.wait()
        steps.append("done")

    async with running(work) as rounds:
        for _ in range(3):
            rounds.wake()
        assert steps == ["begun"] and rounds.is_due
        go_on.set()
        while len(steps) < 4:
            await asyncio.to_thread(int)
        assert steps == ["begun", "done"] * 2, "what came meanwhile is one more round"
        rounds.wake()
        assert steps == ["begun", "done"] * 3


async def test_who_wakes_it_in_a_round_gets_another_one() -> None:
    number = 0

    async def work() -> None:
        nonlocal number
        number += 1
        if number < 5:
            rounds.wake()

    async with running(work) as rounds:
        rounds.wake()
        assert number == 5


@pytest.mark.parametrize("waits", [False, True])
async def test_what_fails_fails_in_the_task_and_not_where_it_was_woken(waits: bool) -> None:
    async def work() -> None:
        if waits:
            await asyncio.to_thread(int)
        raise ZeroDivisionError

    rounds = Rounds(work)
    task = asyncio.create_task(rounds.run())
    await asyncio.wait([task], timeout=0)
    rounds.wake()
    with pytest.raises(ZeroDivisionError):
        await task
    rounds.wake()  # nobody is there any more


async def test_nothing_is_begun_when_the_task_is_about_to_end() -> None:
    begun = list[bool]()

    async def work() -> None:
        begun.append(True)

    rounds = Rounds(work)
    task = asyncio.create_task(rounds.run())
    await asyncio.wait([task], timeout=0)
    task.cancel()
    rounds.wake()
    await asyncio.wait([task])
    assert task.cancelled() and not begun


@pytest.mark.parametrize("has_gone_on", [False, True])
async def test_a_round_that_waits_is_left_when_the_task_is_cancelled(has_gone_on: bool) -> None:
    left = list[bool]()

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            left.append(True)

    rounds = Rounds(work)
    task = asyncio.create_task(rounds.run())
    await asyncio.wait([task], timeout=0)
    rounds.wake()
    if has_gone_on:
        await asyncio.to_thread(int)
    task.cancel()
    rounds.wake()
    await asyncio.wait([task])
    assert task.cancelled() and left == [True]


async def test_a_round_has_the_context_of_its_socket_and_not_of_who_wakes_it() -> None:
    heard = list[str]()

    async def work() -> None:
        heard.append(spoken.get())

    spoken.set("the socket")
    async with running(work) as rounds:
        spoken.set("somebody else")
        rounds.wake()
    assert heard == ["the socket"]


@given(st.lists(st.sampled_from(["wake", "wake in it", "wait", "turn"]), max_size=30))
async def test_whatever_is_new_is_followed_by_a_whole_round(steps: list[str]) -> None:
    news = seen = inside = 0
    plans = list[str]()

    async def work() -> None:
        nonlocal seen, inside, news
        inside += 1
        assert inside == 1
        upto = news
        match plans.pop(0) if plans else "":
            case "wait":
                await asyncio.to_thread(int)
            case "wake in it":
                news += 1
                rounds.wake()
            case _:
                pass
        seen, inside = upto, inside - 1

    async with running(work) as rounds:
        for step in steps:
            if step == "turn":
                await asyncio.to_thread(int)
            else:
                plans.append(step)
                news += 1
                rounds.wake()
        async with asyncio.timeout(20):
            while seen < news:
                await asyncio.to_thread(int)
