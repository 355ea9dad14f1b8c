"""The app's own code: what keeps nobody waiting, and ends nothing but itself."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial

import pytest
from anyio.lowlevel import checkpoint

from shiny_labchat.blocking import watched
from shiny_labchat.concurrency import (
    THREADS,
    UNHURRIED,
    Queue,
    contained,
    in_thread,
    unhurried,
)

variable: ContextVar[str] = ContextVar("variable")


def raises(error: BaseException) -> None:
    raise error


# ── threads ──


async def test_a_function_in_a_thread_gives_what_it_gives_and_knows_the_context() -> None:
    variable.set("here")
    assert await in_thread(variable.get) == "here"
    assert await in_thread(lambda a, b: (a, b, threading.get_ident()), 1, b=2) != (
        *(1, 2),
        threading.get_ident(),
    )


@pytest.mark.parametrize(
    ("error", "arrives"),
    [
        (ValueError("no"), "^no$"),
        (StopIteration(3), "StopIteration"),
        (SystemExit(3), "SystemExit"),
        (asyncio.CancelledError(), "CancelledError"),
    ],
    ids=str,
)
async def test_what_a_function_in_a_thread_raises_arrives_and_ends_nobody(
    error: BaseException, arrives: str
) -> None:
    with pytest.raises(Exception, match=arrives) as caught:
        await in_thread(raises, error)
    assert error in (caught.value, caught.value.__cause__)


def test_a_thread_that_works_on_much_lets_others_run() -> None:
    paused = 0

    def count(frame: object, event: str, arg: object) -> None:
        nonlocal paused
        paused += event == "c_call" and arg is time.sleep

    values = range(2 * UNHURRIED + 1)
    sys.setprofile(count)
    try:
        worked_on = list(unhurried(iter(values)))
    finally:
        sys.setprofile(None)
    assert worked_on == list(values)
    assert paused == 2


async def test_there_are_so_many_threads_and_one_more_waits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also while those who waited for the first ones do so no more."""
    go_on, barrier = threading.Event(), threading.Barrier(THREADS + 1)

    def block() -> None:
        barrier.wait(20)
        go_on.wait(20)

    first = [asyncio.create_task(in_thread(block)) for _ in range(THREADS)]
    await asyncio.to_thread(barrier.wait, 20)
    for each in first:
        each.cancel()
    await asyncio.wait(first)
    more = [asyncio.create_task(in_thread(go_on.is_set)) for _ in range(2)]
    await asyncio.to_thread(int)
    assert not any(each.done() for each in more)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    go_on.set()
    assert await asyncio.gather(*more) == [True, True]


async def test_what_fails_when_nobody_waits_any_more_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    began, go_on = threading.Event(), threading.Event()

    def fails() -> None:
        began.set()
        go_on.wait(20)
        raise ValueError("too late")

    task = asyncio.create_task(in_thread(fails))
    while not began.is_set():
        await asyncio.to_thread(began.wait, 1)
    task.cancel()
    await asyncio.wait([task])
    go_on.set()
    async with asyncio.timeout(20):
        while "ValueError: too late" not in caplog.text:
            await in_thread(int)


# ── being cancelled ──


async def awaits_what_was_cancelled() -> None:
    task = asyncio.create_task(asyncio.Event().wait())
    task.cancel()
    await task


@pytest.mark.parametrize(
    "fn",
    [awaits_what_was_cancelled, partial(raises, asyncio.CancelledError())],
    ids=["async", "not async"],
)
async def test_what_is_cancelled_in_apps_code_is_a_failure(fn: Callable[[], object]) -> None:
    with pytest.raises(RuntimeError, match="was cancelled"):
        await watched("handler", fn)


async def test_who_is_told_to_end_ends() -> None:
    async def waits() -> None:
        with contained():
            await watched("handler", asyncio.Event().wait)

    task = asyncio.create_task(waits())
    await checkpoint()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


# ── queues ──


def cancels_itself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


@pytest.mark.parametrize(
    ("ends", "logged"),
    [
        (partial(raises, ValueError("no")), "ValueError: no"),
        (partial(raises, asyncio.CancelledError()), "was cancelled"),
        (cancels_itself, "was cancelled"),
    ],
    ids=["raises", "raises that it is cancelled", "cancels itself"],
)
async def test_whatever_becomes_of_one_piece_of_work_the_next_is_done(
    ends: Callable[[], None], logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        if number == 2:
            ends()
        await checkpoint()
        done.append(number)

    queue = Queue()
    for number in (1, 2, 3):
        queue.put(partial(work, number))
    await queue.idle()
    assert done == [1, 3] and logged in caplog.text
    queue.put(partial(work, 4))
    await queue.idle()
    assert done == [1, 3, 4]


async def test_work_is_done_in_order_one_piece_at_a_time() -> None:
    told: list[str] = []

    async def work(name: str) -> None:
        told.append(f"{name} begins")
        for _ in range(3):
            await checkpoint()
        told.append(f"{name} ends")

    queue = Queue()
    for name in "ab":
        queue.put(partial(work, name))
    await queue.idle()
    assert told == ["a begins", "a ends", "b begins", "b ends"]
