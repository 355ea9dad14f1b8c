"""What a server says of its health."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette

from shiny_labchat.errors import StoreError
from shiny_labchat.gateway.health import HEALTH_PATH, STORED_WITHIN, health_routes
from shiny_labchat.store import Log

pytestmark = pytest.mark.anyio


class RecordingLog:
    """A log that records how often it was looked at, and is as well as it is told to be."""

    def __init__(self, error: StoreError | None = None, *, answers: bool = True) -> None:
        self.waiting = 0
        self.looks = 0
        self._error = error
        self._answers = answers

    async def read(self, job: Callable[[Any], object], *, patience: float) -> None:
        self.looks += 1
        if self._error is not None:
            raise self._error

    async def write(self, job: Callable[[Any, int], object]) -> None:
        """Everything can be written."""

    def settled(self) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._answers:
            done.set_result(None)
        return done


def asking(*logs: RecordingLog) -> httpx.AsyncClient:
    app = Starlette(routes=health_routes(lambda: cast(list[Log], list(logs))))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_without_any_database_a_server_is_ready() -> None:
    async with asking() as http:
        answer = await http.get(f"{HEALTH_PATH}/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


async def test_one_database_in_trouble_makes_it_not_ready_and_the_code_says_why() -> None:
    error = StoreError("store_full", "sqlite:////secret/lab.db", "secret")
    async with asking(RecordingLog(), RecordingLog(error)) as http:
        answer = await http.get(f"{HEALTH_PATH}/ready")
        assert (await http.get(f"{HEALTH_PATH}/live")).json() == {"status": "alive"}
    assert (answer.status_code, answer.json()) == (
        503,
        {"status": "not ready", "why": ["store_full"]},
    )


async def test_a_database_that_does_not_answer_in_time_counts_as_busy() -> None:
    started = asyncio.get_running_loop().time()
    async with asking(RecordingLog(answers=False)) as http:
        answer = await http.get(f"{HEALTH_PATH}/ready", timeout=30)
    assert answer.json()["why"] == ["store_busy"]
    assert asyncio.get_running_loop().time() - started >= STORED_WITHIN


async def test_however_often_it_is_asked_a_database_is_looked_at_once() -> None:
    log = RecordingLog()
    async with asking(log) as http:
        answers = await asyncio.gather(*(http.get(f"{HEALTH_PATH}/ready") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200} and log.looks == 1


async def test_an_answer_is_kept_nowhere_and_says_which_process_gave_it() -> None:
    log = RecordingLog()
    log.waiting = 3
    async with asking(log) as http:
        first, second = await http.get(HEALTH_PATH), await http.get(HEALTH_PATH)
    told = first.json()
    assert first.headers["cache-control"] == "no-store"
    assert told["process"] == second.json()["process"] and told["waiting"] == 3
    assert set(told) == {"clock", "process", "seconds", "status", "version", "waiting"}
