"""A model that replies in a group: what it is told over the wire, and what if it fails."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat._replies import SORRY
from tests.client import Browser, browser
from tests.model import Model, Reply, Tool
from tests.page import page
from tests.server import Server

APP = ["-m", "uvicorn", "tests.integration.apps.replies:app"]


@pytest.fixture
def model() -> Iterator[Model]:
    with Model() as model:
        yield model


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(f"sqlite:///{tmp_path_factory.mktemp('replies') / 'lab.db'}")
    yield lab
    lab.log.close()


@pytest.fixture
async def room(lab: Lab) -> Room:
    return await lab.create_room("replies", study="tests", rules=Rules(rate=None))


@pytest.fixture
def server(
    lab: Lab, model: Model, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """Its parameters are environment variables."""
    for name, value in {"MODEL_URL": model.url, **getattr(request, "param", {})}.items():
        monkeypatch.setenv(name, value)
    server = Server(APP, lab.url)
    server.start()
    yield server
    server.stop()


@asynccontextmanager
async def person(server: Server) -> AsyncIterator[Browser]:
    async with page(server.port) as opened, browser(server.port) as socket:
        await socket.hello(ticket=await opened.ticket())
        yield socket


def name_of(person: Browser) -> str:
    return str(person.welcome["you"]["name"])


async def told(person: Browser, replies: int, within: float = 40.0) -> list[str]:
    """Wait until so many replies have ended; gives all that is shown."""

    def ended() -> int:
        return sum("live" not in i for i in person.items.values() if i["role"] == "assistant")

    await person.until(lambda: ended() >= replies, within)
    return person.texts


def roles(body: Mapping[str, Any]) -> list[str]:
    return [message["role"] for message in body["messages"]]


async def test_the_model_knows_who_said_what(server: Server, room: Room, model: Model) -> None:
    async with person(server) as ann, person(server) as bob:
        await ann.says("I am from Oslo.")
        await told(ann, 1)
        await bob.says("Where is she from?")
        await told(bob, 2)
        await ann.settles()
        assert ann.texts == bob.texts == [message.content for message in await room.messages()]
        assert model.calls[-1].messages == [
            ("system", "Be brief."),
            ("user", f"{name_of(ann)}: I am from Oslo."),
            ("assistant", ann.texts[1]),
            ("user", f"{name_of(bob)}: Where is she from?"),
        ]


async def test_two_who_ask_at_once_are_both_answered_in_order(
    server: Server, room: Room, model: Model
) -> None:
    async with person(server) as ann, person(server) as bob:
        for n in range(3):
            for each in (ann, bob):
                await each.send(f"[words 20] [rate 100] {n}")
        await told(ann, 6)
        await told(bob, 6)
        assert ann.texts == bob.texts == [message.content for message in await room.messages()]
        assert [len(call.messages) for call in model.calls] == sorted(
            len(call.messages) for call in model.calls
        ), "each knew the replies before it"
        assert {call.outcome for call in model.calls} == {"whole"}


async def test_tools_run_in_threads_and_stay_in_the_conversation(
    server: Server, room: Room, model: Model
) -> None:
    async with person(server) as ann, person(server) as bob:
        model.will(
            Reply("Let me look.", tools=[Tool("weather", {"city": "Oslo"})]),
            Reply("It has 18 degrees."),
        )
        await ann.says("How warm is it?")
        await bob.until(lambda: any(i["role"] == "assistant" for i in bob.items.values()))
        loop = asyncio.get_running_loop()
        slowest = 0.0
        for n in range(10):
            begun = loop.time()
            await bob.says(f"[words 1] meanwhile {n}")
            slowest = max(slowest, loop.time() - begun)
        assert slowest < 0.9, "a tool that takes a second keeps nobody waiting"
        await told(ann, 11)
        (reply, *_) = [item for _, item in sorted(ann.items.items()) if item["role"] == "assistant"]
        kinds = [kind for kind, _ in reply["parts"]]
        assert [k for k in kinds if k.startswith("tool")] == ["tool_request", "tool_result"]
        assert roles(model.calls[-1].body)[:5] == [
            "system",
            "user",
            "assistant",
            "tool",
            "assistant",
        ]
    (first, *_) = [m for m in await room.messages() if m.role == "assistant"]
    assert first.content == "Let me look.It has 18 degrees."


@pytest.mark.parametrize("server", [{"REPLY": "mention"}], indirect=True)
async def test_it_replies_to_who_mentions_it(server: Server, room: Room, model: Model) -> None:
    async with person(server) as ann:
        await ann.says("just talking")
        await ann.says("write to me@assistant.org")
        await ann.says("what do you think, @Assistant?")
        await told(ann, 1)
        assert [call.text.rsplit(": ")[-1] for call in model.calls] == [
            "what do you think, @Assistant?"
        ]


@pytest.mark.parametrize("server", [{"REPLY": "question"}], indirect=True)
async def test_a_function_decides_what_it_replies_to(server: Server, model: Model) -> None:
    async with person(server) as ann:
        await ann.says("no")
        await ann.says("yes?")
        await told(ann, 1)
        assert len(model.calls) == 1


@pytest.mark.parametrize(
    "failure",
    [
        Reply(status=429, retry_after=0.05),
        Reply(status=500),
        Reply("half of it", pieces=4, cut=2),
        Reply("half of it", pieces=4, cut=2, how="error"),
    ],
    ids=["429", "500", "cut", "error"],
)
async def test_a_model_that_fails_is_asked_again(
    server: Server, room: Room, model: Model, failure: Reply
) -> None:
    async with person(server) as ann:
        model.will(failure, Reply("All of it."))
        await ann.says("Say it.")
        assert (await told(ann, 1))[-1] == "All of it."
        assert (await room.messages())[-1].content == "All of it."
        assert len(model.calls) == 2


@pytest.mark.parametrize("server", [{}, {"FAILURES": "room"}], ids=["asker", "room"], indirect=True)
async def test_who_shall_know_is_told_in_words_that_it_fails(
    server: Server, room: Room, model: Model
) -> None:
    async with person(server) as ann, person(server) as bob:
        model.will(Reply(status=401))
        await ann.says("Say it.")
        await ann.until(lambda: SORRY in ann.texts)
        await told(ann, 1)
        await told(bob, 1)
        await bob.settles()
        assert (SORRY in bob.texts) == (os.environ.get("FAILURES") == "room")
        assert [i.get("is") for i in bob.items.values() if i["role"] == "assistant"] == ["failed"]
        assert "Traceback" not in str(ann.frames)
        await ann.says("And now?")
        assert (await told(ann, 2))[-1].startswith("You said: ")
