"""Three people and a moderator that is a model, and three without: from first address to pay."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from shiny_labchat import Lab
from shiny_labchat.bots import AuditEntry
from tests.support.backend import FreshUrl
from tests.support.check_groups import Entry, read_log
from tests.support.clock import Clock
from tests.support.models.model import Model, Reply
from tests.support.models.tls_door import TlsDoor
from tests.support.server import ROOT, Server
from tests.support.talking import (
    answers,
    comes_into_a_group,
    consents,
    is_done,
    reads_the_end,
    talks,
    texts,
)
from tests.support.visitor import Visitor, visitor

APP = ROOT / "apps" / "16-moderator-model" / "app.py"
AFTER = "labchat_form_moderated_after"
ALL = "It should go to all of them, in equal parts, as nobody here can say who needs it most."


@pytest.fixture
def lab(fresh_url: FreshUrl, sqlite_only: None) -> Iterator[Lab]:
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
def clock(lab: Lab) -> Clock:
    return Clock(lab.url)


@pytest.fixture
def server(lab: Lab, clock: Clock) -> Iterator[Server]:
    """A server of the app, whose model is the tests' own: it numbers what it says."""
    with (
        Model(lambda call: Reply(f"Let us go on, says the model: {call.number}.")) as model,
        TlsDoor("api.openai.com", model.port) as door,
    ):
        variables = {**door.environ, "OPENAI_API_KEY": "key"}
        server = Server(clock.command(APP), lab.url, variables=variables)
        server.start()
        yield server
        server.stop()


async def three(stack: AsyncExitStack, server: Server) -> list[Visitor]:
    """Three people who are in a group."""
    pages = [await stack.enter_async_context(visitor(server.port)) for _ in range(3)]
    for page in pages:
        await consents(page)
    await asyncio.gather(*map(comes_into_a_group, pages))
    return pages


async def read(pages: Sequence[Visitor], by_the_model: int) -> None:
    """Wait until all have read so many messages of the model."""
    for page in pages:
        await page.until(
            lambda p=page: sum("says the model" in t for t in texts(p)) >= by_the_model
        )


async def finishes(page: Visitor, *words: str) -> None:
    """Be done, answer the last question, and read such words in the end."""
    await is_done(page)
    await answers(page, AFTER, won="all of them")
    await reads_the_end(page, *words)


def started(lab: Lab) -> datetime:
    """When the time of the second group has started."""
    [at] = [each["at"] for each in log_of(lab, "room", "lobby-2") if each["kind"] == "started"]
    return datetime.fromtimestamp(at / 1e6, UTC)


def log_of(lab: Lab, kind: str, id: str) -> list[Entry]:
    return read_log(lab.url, "moderated", kind, id)


def spoken(entries: Sequence[AuditEntry]) -> list[tuple[str, str | None]]:
    """When something was to be said, and why."""
    return [(each.outcome, each.trigger) for each in entries if each.outcome != "silent"]


async def test_a_moderator_speaks_at_its_times_and_when_one_talks_most(
    lab: Lab, server: Server, clock: Clock
) -> None:
    async with AsyncExitStack() as stack:
        with_it = ann, bob, carl = await three(stack, server)
        without = dora, *_ = await three(stack, server)
        await read(with_it, 1)
        begun = started(lab)
        for page in (bob, dora):
            await talks(page, "Hello!")
        clock.shows(begun + timedelta(seconds=130))
        for page in (ann, dora):
            await talks(page, ALL)
        await read(with_it, 2)
        for page in (bob, carl):
            await talks(page, ALL)
        for time in range(190, 560, 60):
            clock.shows(begun + timedelta(seconds=time))
            for page in (*with_it, dora):
                await talks(page, "Yes.")
            await read(with_it, 2 + (time > 300) + (time > 540))
        await asyncio.gather(*(finishes(page, "€1.00") for page in with_it))
        await asyncio.gather(*map(finishes, without))
        moderated, alone = (lab.room(f"lobby-{n}", study="moderated") for n in (1, 2))
        assert spoken(await moderated.audit()) == [
            ("posted", "at 2"),
            ("posted", "unequal"),
            ("posted", "at 300"),
            ("posted", "before_close 60"),
        ]
        imagined = spoken(await alone.audit())
        assert {("shadow", each) for each in ("at 2", "unequal", "at 300")} <= {*imagined}
        assert "posted" not in str(imagined)
        for page in without:
            assert "oderator" not in page.everything() and "the model" not in page.everything()
    log = str(log_of(lab, "room", "lobby-2"))
    assert "Moderator" not in log and "the model" not in log
    paid = [each for each in log_of(lab, "study", "moderated") if each["kind"] == "paid"]
    assert [each["data"]["cents"] for each in paid] == [100] * 3
    said = [each for each in await moderated.messages() if each.member == "moderator"]
    assert len(said) == 4 and all("says the model" in each.content for each in said)
