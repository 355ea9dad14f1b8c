"""A process that was forked works, or says why not; it never waits for ever."""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
from collections.abc import Callable, Coroutine
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from shiny_labchat import Lab, StoreError

Asked = Callable[[Lab], Coroutine[Any, Any, Any]]

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


async def talks(lab: Lab) -> list[str]:
    """Post, and read what was said."""
    room = await lab.create_room("r", study="s")
    await room.post("from the child")
    return [message.content for message in await room.messages()]


async def is_told(lab: Lab) -> list[str]:
    """Why it can neither write nor read."""
    said: list[str] = []
    room = lab.room("r", study="s")
    for doing in (room.post("from the child"), room.messages()):
        try:
            await doing
        except StoreError as exc:
            said.append(str(exc))
    return said


def in_child(lab: Lab, asks: Asked) -> list[str]:
    """What the child of a fork gives, which has this lab as its parent has it."""
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    child = fork.Process(target=_answer, args=(lab, asks, there))
    child.start()
    there.close()
    try:
        assert here.poll(60), "the child waits for ever"
        return here.recv()
    finally:
        child.kill()
        child.join()


def _answer(lab: Lab, asks: Asked, there: Connection) -> None:
    there.send(asyncio.run(asks(lab)))
    asyncio.run(asyncio.Event().wait())  # the parent goes on while this process has its connections


def copied(url: str, empty_database: Path) -> None:
    if not url.startswith("sqlite"):
        return
    shutil.copy(empty_database, url.removeprefix("sqlite:///"))


def test_a_child_of_a_process_that_has_not_used_the_lab_works(
    url: str, empty_database: Path
) -> None:
    copied(url, empty_database)
    lab = Lab(url)
    assert in_child(lab, talks) == ["from the child"]
    assert asyncio.run(talks(lab)) == ["from the child"] * 2
    lab.log.close()


def test_a_child_of_a_process_that_has_closed_the_lab_works(url: str, empty_database: Path) -> None:
    copied(url, empty_database)
    lab = Lab(url)
    asyncio.run(talks(lab))
    lab.log.close()
    assert in_child(lab, talks) == ["from the child"] * 2


def test_a_child_of_a_process_that_has_the_database_open_says_so(
    url: str, empty_database: Path, sqlite_only: None
) -> None:
    copied(url, empty_database)
    lab = Lab(url)
    asyncio.run(talks(lab))
    said = in_child(lab, is_told)
    assert len(said) == 2 and all("forked" in each and "spawn" in each for each in said)
    assert asyncio.run(talks(lab)) == ["from the child"] * 2
    lab.log.close()
