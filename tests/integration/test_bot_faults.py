"""Bots whose server is killed in the middle of it: what is said once, and what is on record."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest

from shiny_labchat import Lab, Room
from shiny_labchat.bots import AuditEntry
from shiny_labchat.store.drafts import LEASE
from tests.client import Browser, browser
from tests.integration.conftest import log_of
from tests.model import Model, Reply
from tests.page import page
from tests.server import Server

APP = ["-m", "uvicorn", "tests.integration.apps.bots:app"]
AT_ONCE = {"reading": None, "typing": None}
WITHIN = LEASE / 1e6 + 30.0
"""How long it is waited until a restarted server has done what the one before it was at."""


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(f"sqlite:///{tmp_path_factory.mktemp('bots') / 'lab.db'}")
    yield lab
    lab.log.close()


@pytest.fixture
def model() -> Iterator[Model]:
    with Model() as model:
        yield model


@pytest.fixture
def server(
    lab: Lab, model: Model, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """Its parameter is what the bot is like, which speaks with the model."""
    monkeypatch.setenv("BOT", json.dumps({**AT_ONCE, **getattr(request, "param", {})}))
    monkeypatch.setenv("MODEL_URL", model.url)
    server = Server(APP, lab.url)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def room(lab: Lab) -> Room:
    return lab.room("bots", study="tests")


@asynccontextmanager
async def person(server: Server) -> AsyncIterator[Browser]:
    async with page(server.port) as opened, browser(server.port) as socket:
        await socket.hello(ticket=await opened.ticket())
        yield socket


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


async def settled(room: Room, number: int) -> list[AuditEntry]:
    """Wait until so many entries of the audit are over."""
    async with asyncio.timeout(WITHIN):
        while True:
            entries = await room.audit()
            if len([entry for entry in entries if entry.outcome != "open"]) >= number:
                return entries


def calls(entries: Sequence[AuditEntry]) -> list[tuple[str, int]]:
    """What has become of each call of the model, and about which message."""
    return [(entry.outcome, entry.seq) for entry in entries if entry.is_call]


async def test_a_bot_that_waited_for_its_model_asks_again_and_says_it_once(
    server: Server, room: Room, model: Model
) -> None:
    model.will(Reply("never heard", pieces=3, hold=1), Reply("I am back."))
    async with person(server) as ann:
        seq = await ann.says("are you there?")
        await asked(model, 1)
        server.kill()
    server.start()
    assert calls(await settled(room, 2)) == [("interrupted", seq), ("posted", seq)]
    assert len(model.calls) == 2, "each call is on record"
    async with again(server, ann) as ann:
        await ann.until(lambda: "I am back." in ann.texts)
        await ann.says("good")
        await settled(room, 3)
        assert ann.texts.count("I am back.") == 1
        assert len(calls(await room.audit())) == len(model.calls) == 3


@pytest.mark.parametrize("server", [{"disclose": True}], indirect=True)
async def test_what_a_bot_was_streaming_is_kept_and_marked_and_not_said_again(
    server: Server, room: Room, model: Model
) -> None:
    whole = "".join(f"word{n} " for n in range(100))
    model.will(Reply(whole, pieces=100, rate=20, hold=70))
    async with person(server) as ann:
        seq = await ann.says("tell me all")
        await asked(model, 1)
        await ann.until(lambda: "word69 " in ann.texts[-1])
        server.kill()
    server.start()
    async with again(server, ann) as ann:
        [(place, shown)] = [(s, i) for s, i in ann.items.items() if i["role"] == "assistant"]
        await ann.until(lambda: shown.get("is") == "interrupted", within=WITHIN)
        kept = ann.texts[-1]
        assert whole.startswith(kept) and len(kept.split()) >= 70 - 2.5 * 20
        assert calls(await settled(room, 1)) == [("interrupted", seq)]
        assert [entry.became for entry in await room.audit()] == [place]
        model.will(Reply("Here I am."))
        await ann.says("are you there?")
        await ann.until(lambda: ann.texts[-1] == "Here I am.", within=WITHIN)
        assert len(model.calls) == 2 == len(calls(await settled(room, 2)))
    assert [m.content for m in await room.messages()] == ann.texts
    ends = [event.data["is"] for event in await log_of(room) if event.kind == "streamed"]
    assert ends == ["interrupted", "done"]
