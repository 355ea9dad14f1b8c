"""Background tasks, and tries one after the other."""

from __future__ import annotations

import asyncio
import gc
import logging
from itertools import repeat

import pytest
from anyio.lowlevel import checkpoint

from shiny_labchat.concurrency import Tasks, retry


async def _fails() -> None:
    raise ValueError("no")


async def test_a_task_that_nobody_holds_comes_to_its_end() -> None:
    tasks, ended = Tasks("a test"), asyncio.Event()

    async def work() -> None:
        await checkpoint()
        ended.set()

    tasks.spawn(work())
    gc.collect()
    await asyncio.wait_for(ended.wait(), 5)


async def test_a_failure_is_logged_with_its_owner(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks("chat 'left'")
    tasks.spawn(_fails())
    await tasks.wait(5)
    (record,) = caplog.records
    assert "chat 'left'" in record.message and record.exc_info and record.levelno == logging.ERROR


async def test_a_kept_task_fails_for_who_waits_for_it_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tasks = Tasks("a test")
    with pytest.raises(ValueError, match="no"):
        await tasks.keep(asyncio.ensure_future(_fails()))
    assert not caplog.records


async def test_stopping_cancels_all_and_waits_for_their_ends() -> None:
    tasks, ended = Tasks("a test"), list[int]()

    async def work(n: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(n)

    for n in range(3):
        tasks.spawn(work(n))
    await checkpoint()
    await tasks.stop(5)
    assert sorted(ended) == [0, 1, 2]


async def test_waiting_for_no_tasks_is_over_at_once() -> None:
    await asyncio.wait_for(Tasks("a test").wait(60), 5)


@pytest.mark.parametrize("delays", [(), (0.0,), (0.01, 0.01)])
async def test_there_is_one_try_more_than_there_are_delays(delays: tuple[float, ...]) -> None:
    tries = [is_last async for is_last in retry(delays)]
    assert tries == [False] * len(delays) + [True]


async def test_tries_without_end_are_never_the_last() -> None:
    count = 0
    async for is_last in retry(repeat(0.0)):
        assert not is_last
        count += 1
        if count == 50:
            break
    assert count == 50


async def test_each_further_try_waits_for_its_delay() -> None:
    loop, at = asyncio.get_running_loop(), list[float]()
    async for _ in retry((0.05, 0.1)):
        at.append(loop.time())
    assert at[1] - at[0] >= 0.045 and at[2] - at[1] >= 0.095
