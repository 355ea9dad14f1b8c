"""Functions that are not async wait while the event loop goes on, as if they were."""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

import pytest
from anyio.lowlevel import checkpoint

from shiny_labchat.blocking import BLOCKED, watched
from shiny_labchat.chat.waiting import can_wait, let_wait, wait
from shiny_labchat.concurrency import name_of

value: ContextVar[int] = ContextVar("value", default=0)


async def later(result: int) -> int:
    await checkpoint()
    return result


def plain(number: int) -> int:
    return wait(later(number))


async def coroutine(number: int) -> int:
    before = await later(number)
    return wait(later(before)) + await later(0)


@pytest.mark.parametrize("fn", [plain, coroutine])
async def test_others_go_on_while_a_function_waits(fn: Callable[[int], Awaitable[int]]) -> None:
    events = [asyncio.Event() for _ in range(3)]

    async def handler(number: int) -> int:
        events[number].set()
        wait(events[(number + 1) % 3].wait())  # which another handler sets
        return await let_wait(fn)(number)

    async with asyncio.timeout(10):
        found = await asyncio.gather(*(let_wait(handler)(number) for number in range(3)))
    assert found == [0, 1, 2]


async def test_it_is_the_same_task_with_the_same_context_variables() -> None:
    def inside() -> tuple[object, int]:
        value.set(1)
        wait(later(0))
        return asyncio.current_task(), value.get()

    task = asyncio.current_task()
    assert await let_wait(inside)() == (task, 1)
    assert value.get() == 1, "as after a function that is awaited"

    async def other() -> None:
        value.set(2)

    wait_for_other = let_wait(lambda: wait(asyncio.ensure_future(other())))
    await wait_for_other()
    assert value.get() == 1


@pytest.mark.parametrize("ends", ["cancelled", "timeout"])
async def test_what_waits_can_be_cancelled_and_cleans_up(ends: str) -> None:
    cleaned: list[str] = []

    def waits() -> None:
        try:
            wait(asyncio.Event().wait())
        except asyncio.CancelledError:
            wait(later(0))  # cleaning up may wait, too
            cleaned.append(ends)
            raise

    async def in_time() -> None:
        async with asyncio.timeout(0.01 if ends == "timeout" else None):
            await let_wait(waits)()

    task = asyncio.create_task(in_time())
    await checkpoint()
    if ends == "cancelled":
        task.cancel()
    with pytest.raises((asyncio.CancelledError, TimeoutError)):
        await task
    assert cleaned == [ends]


async def test_a_failure_comes_where_it_was_waited_for() -> None:
    async def fails() -> None:
        await checkpoint()
        raise LookupError("nothing there")

    def catches() -> str:
        try:
            wait(fails())
        except LookupError as exc:
            return str(exc)
        return "it did not fail"

    assert await let_wait(catches)() == "nothing there"
    with pytest.raises(LookupError) as caught:
        await let_wait(lambda: wait(fails()))()
    assert "fails" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]


async def test_other_tasks_and_threads_cannot_wait_so() -> None:
    async def asks() -> bool:
        return can_wait()

    async def handler() -> list[bool]:
        task = asyncio.create_task(asks())
        return [can_wait(), await asks(), await task, await asyncio.to_thread(can_wait)]

    assert await let_wait(handler)() == [True, True, False, False]
    assert not can_wait()


async def test_a_wait_inside_another_function_that_may_wait() -> None:
    async def outer() -> int:
        return wait(let_wait(plain)(1)) + await let_wait(plain)(2) + plain(3)

    assert await let_wait(outer)() == 6


async def test_waiting_blocks_nobody_and_is_not_logged_as_if_it_did(
    caplog: pytest.LogCaptureFixture,
) -> None:
    goes_on = asyncio.Event()
    asyncio.get_running_loop().call_later(2 * BLOCKED, goes_on.set)

    def handler() -> None:
        wait(goes_on.wait())

    await watched("handler", let_wait(handler))
    assert caplog.text == ""


def test_it_keeps_the_name_and_the_signature() -> None:
    assert name_of(let_wait(plain)) == name_of(plain)
    assert inspect.signature(let_wait(plain)) == inspect.signature(plain)
