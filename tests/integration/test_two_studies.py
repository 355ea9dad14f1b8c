"""An app that makes several studies: its people arrive in those that are theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from shiny_labchat import Lab
from shiny_labchat.study.study import Study
from tests.support.backend import FreshUrl
from tests.support.server import Server, shiny_run
from tests.support.visitor import visitor

APP = Path(__file__).parent / "apps" / "two_studies.py"


@pytest.fixture
def server(fresh_url: FreshUrl) -> Iterator[Server]:
    server = Server(shiny_run(APP), fresh_url())
    yield server
    server.stop()


async def test_a_person_arrives_in_the_study_that_is_drawn_and_in_one_that_asks_who_they_are(
    server: Server,
) -> None:
    await asyncio.to_thread(server.start)
    lab = Lab(server.url)

    async def people(study: str) -> int:
        return len(await Study(study, lab=lab).people())

    async with visitor(server.port, search="?PID=p1", outputs=("page", "asked")) as one:
        await one.sees("waiting")
        await one.until(lambda: "here True, there 0" in one.page)
        assert [await people(study) for study in ("main", "other", "third")] == [1, 0, 0]
        told = [each["study"] for each in one.notices if each["do"] == "study"]
        assert set(told) == {"main"}, "and its page hears of no other"
        await one.inputs(ask=True)
        await one.until(lambda: "somebody" in str(one.values.get("asked")))
        assert [await people(study) for study in ("main", "other", "third")] == [1, 1, 0]
    lab.log.close()
