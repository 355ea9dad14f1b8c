"""Bots whose server is killed in the middle of it: what is said once, and what is on record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from shiny_labchat import Lab, Room
from shiny_labchat.bots import AuditEntry
from shiny_labchat.store.checkpoints import LEASE
from tests.integration.conftest import log_of
from tests.integration.own_server.conftest import Person
from tests.support.client import Browser, browser
from tests.support.ids import seq_in
from tests.support.models.model import Model, Reply
from tests.support.server import Server

from .bot import AT_ONCE, a_bot, settled, until

APP = ["-m", "uvicorn", "tests.integration.apps.bots:app"]
pytestmark = pytest.mark.usefixtures("model")
WITHIN = LEASE / 1e6 + 30.0
"""How long it is waited until a restarted server has done what the one before it was at."""


@pytest.fixture
def room(lab: Lab) -> Room:
    return lab.room("bots", study="tests")


@asynccontextmanager
async def again(server: Server, before: Browser) -> AsyncIterator[Browser]:
    """The same page, on another line."""
    async with browser(server.port) as socket:
        socket.items, socket.upto = before.items, before.upto
        await socket.hello(resume=before.welcome["resume"], after=before.upto)
        yield socket


async def asked(model: Model, number: int) -> None:
    """Wait until the model has been asked so often, and holds the last answer."""
    await asyncio.to_thread(
        model.until,
        lambda: len(model.calls) == number and model.calls[-1].outcome == "held",
        WITHIN,
    )


def calls(entries: Sequence[AuditEntry]) -> list[tuple[str, int]]:
    """What has become of each call of the model, and about which message."""
    return [(entry.outcome, entry.seq) for entry in entries if entry.is_call]


@a_bot(**AT_ONCE)
async def test_a_bot_that_waited_for_its_model_asks_again_and_says_it_once(
    server: Server, person: Person, room: Room, model: Model
) -> None:
    model.will(Reply("never heard", pieces=3, hold=1), Reply("I am back."))
    async with person() as ann:
        seq = await seq_in(room, await ann.says("are you there?"))
        await asked(model, 1)
        server.kill()
    server.start()
    assert calls(await settled(room, 2, WITHIN)) == [("interrupted", seq), ("posted", seq)]
    assert len(model.calls) == 2, "each call is on record"
    async with again(server, ann) as ann:
        await ann.until(lambda: "I am back." in ann.texts)
        await ann.says("good")
        await settled(room, 3, WITHIN)
        assert ann.texts.count("I am back.") == 1
        assert len(calls(await room.audit())) == len(model.calls) == 3


@a_bot(**AT_ONCE, disclose=True)
async def test_what_a_bot_was_streaming_is_kept_and_marked_and_not_said_again(
    server: Server, person: Person, room: Room, model: Model
) -> None:
    whole = "".join(f"word{n} " for n in range(100))
    model.will(Reply(whole, pieces=100, rate=20, hold=70))
    async with person() as ann:
        seq = await seq_in(room, await ann.says("tell me all"))
        await asked(model, 1)
        await ann.until(lambda: "word69 " in ann.texts[-1])
        server.kill()
    server.start()
    async with again(server, ann) as ann:
        [(place, shown)] = [(s, i) for s, i in ann.items.items() if i["role"] == "assistant"]
        await ann.until(lambda: shown.get("is") == "interrupted", within=WITHIN)
        kept = ann.texts[-1]
        assert whole.startswith(kept) and len(kept.split()) >= 70 - 2.5 * 20
        assert calls(await settled(room, 1, WITHIN)) == [("interrupted", seq)]
        assert [entry.became for entry in await room.audit()] == [await seq_in(room, place)]
        model.will(Reply("Here I am."))
        await ann.says("are you there?")
        await ann.until(lambda: ann.texts[-1] == "Here I am.", within=WITHIN)
        assert len(model.calls) == 2 == len(calls(await settled(room, 2, WITHIN)))
    assert [m.content for m in await room.messages()] == ann.texts
    ends = [event.data["is"] for event in await log_of(room) if event.kind == "streamed"]
    assert ends == ["interrupted", "done"]


@a_bot(**AT_ONCE, disclose=True)
async def test_what_was_shown_of_a_call_before_a_crash_is_on_its_record(
    server: Server, person: Person, room: Room, model: Model
) -> None:
    """The model has failed in the middle, and was to be asked again."""
    model.will(Reply("half of it", pieces=4, cut=2))
    async with person() as ann:
        seq = await seq_in(room, said := await ann.says("tell me all"))
        await ann.until(lambda: len(ann.items) == 2)
        await settled(room, 1)
        server.kill()
        [shown] = set(ann.items) - {said}
        place = await seq_in(room, shown)
    server.start()

    async def is_linked() -> bool:
        return [entry.became for entry in await room.audit()] == [place]

    await until(is_linked, WITHIN)
    assert calls(await room.audit()) == [("failed", seq)]
