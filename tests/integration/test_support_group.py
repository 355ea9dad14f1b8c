"""A support group over two weeks, from the first address to pay, by a clock that the test sets."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from shiny_labchat import Lab
from tests.support.backend import FreshUrl
from tests.support.clock import Clock
from tests.support.database import labchat
from tests.support.server import ROOT, Server
from tests.support.talking import answers, consents, is_refused, reads_the_end, talks, texts
from tests.support.visitor import Visitor, visitor

APP = ROOT / "tests" / "integration" / "apps" / "support_group.py"
AFTER = "labchat_form_support_after"
SECRET = "SECRET-WORDS"
QUESTION = "How are you?"


class Group:
    """
    The people of the group, who come at some times and leave again.

    Parameters
    ----------
    url
        The database.
    """

    def __init__(self, url: str) -> None:
        self.clock = Clock(url)
        self.lab = Lab(url)
        self.server = Server(self.clock.command(APP), url)

    @asynccontextmanager
    async def at(self, time: str, *who: str) -> AsyncIterator[list[Visitor]]:
        """Start the server at a time of the year; these people come. In the end it is killed."""
        self.is_later(time)
        await asyncio.to_thread(self.server.start)
        async with AsyncExitStack() as stack:
            pages = [visitor(self.server.port, search=f"?PID={each}") for each in who]
            yield [await stack.enter_async_context(page) for page in pages]
            await asyncio.to_thread(self.server.kill)

    def is_later(self, time: str) -> None:
        """Set the clock to a time of the year."""
        self.clock.shows(datetime.fromisoformat(f"2027-{time}"))

    async def said(self) -> list[str]:
        """What is said in the group."""
        return [each.content for each in await self.lab.room("lobby-1", study="support").messages()]


@pytest.fixture
def group(fresh_url: FreshUrl, sqlite_only: None) -> Iterator[Group]:
    group = Group(fresh_url())
    yield group
    group.server.stop()
    group.lab.log.close()


async def test_four_people_write_for_two_weeks_and_one_withdraws(
    group: Group, tmp_path: Path
) -> None:
    """Each time, the server before has died, and nobody was there when something fell due."""
    async with group.at("03-22T18:00+01:00", "ann", "bob", "carl", "dan") as four:
        for page in four:
            await consents(page)
        for page, text in zip(four, ("one", "two", "three", SECRET), strict=True):
            await talks(page, text)
    async with group.at("03-22T18:02+01:00", "ann", "bob") as (ann, bob):
        await talks(ann, "still here")
        await bob.until(lambda: texts(bob).count(QUESTION) == 1)
        group.is_later("03-22T22:00+01:00")
        assert await is_refused(ann, "awake?") == "out_of_hours"
    async with group.at("03-26T08:00+01:00", "ann", "dan") as (ann, dan):
        await ann.until(lambda: SECRET in texts(ann))
        assert (await dan.does("stop", delete=True))["t"] == "did"
        await ann.until(lambda: SECRET not in texts(ann))
        await reads_the_end(dan, "LEFT")
        await talks(ann, "four")
    async with group.at("03-29T21:00+02:00", "ann", "bob", "carl") as three:
        for page in three:
            await page.until(lambda page=page: texts(page).count(QUESTION) == 2)
            assert SECRET not in page.everything()
        await talks(three[1], "five")
        group.is_later("03-29T22:00+02:00")  # an hour earlier than in the week before
        assert await is_refused(three[1], "awake?") == "out_of_hours"
    async with group.at("04-05T20:00+02:00", "bob", "carl") as (bob, carl):
        await bob.until(lambda: "One day is left." in texts(bob))
        await talks(carl, "six")
        await talks(bob, "seven")
    async with group.at("04-06T09:00+02:00", "ann", "bob", "carl", "dan") as (*three, dan):
        for page, due in zip(three, ("€1.00", "€1.50", "€1.00"), strict=True):
            await answers(page, AFTER, helped="the others")
            await reads_the_end(page, "DONE", due)
        await reads_the_end(dan, "LEFT")
    said = await group.said()
    assert (said.count(QUESTION), said.count("One day is left.")) == (2, 1)
    told = await asyncio.to_thread(labchat, group.lab.url, "ends", "--csv")
    rows = csv.DictReader(told.stdout.splitlines())
    assert sorted((row["PID"], row["end"], row["pay"], row["bonus"]) for row in rows) == [
        ("", "withdrew", "partial", "0.00"),
        ("ann", "complete", "5.00", "1.00"),
        ("bob", "complete", "5.00", "1.50"),
        ("carl", "complete", "5.00", "1.00"),
    ]
    await group.lab.export(tmp_path / "out", study="support")
    exported = [path.read_text() for path in (tmp_path / "out").rglob("*.csv")]
    assert "still here" in str(exported) and SECRET not in str(exported)
