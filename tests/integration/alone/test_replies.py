"""A model that replies in a group: what it is told over the wire, and what if it fails."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat._replies import SORRY
from tests.client import Browser
from tests.integration.alone.conftest import Person
from tests.model import Model, Reply, Tool

APP = ["-m", "uvicorn", "tests.integration.apps.replies:app"]
pytestmark = pytest.mark.usefixtures("model")


@pytest.fixture
async def room(lab: Lab) -> Room:
    return await lab.create_room("replies", study="tests", rules=Rules(rate=None))


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


async def test_the_model_knows_who_said_what(person: Person, room: Room, model: Model) -> None:
    async with person() as ann, person() as bob:
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
    person: Person, room: Room, model: Model
) -> None:
    async with person() as ann, person() as bob:
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
    person: Person, room: Room, model: Model
) -> None:
    async with person() as ann, person() as bob:
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
async def test_it_replies_to_who_mentions_it(person: Person, room: Room, model: Model) -> None:
    async with person() as ann:
        await ann.says("just talking")
        await ann.says("write to me@assistant.org")
        await ann.says("what do you think, @Assistant?")
        await told(ann, 1)
        assert [call.text.rsplit(": ")[-1] for call in model.calls] == [
            "what do you think, @Assistant?"
        ]


@pytest.mark.parametrize("server", [{"REPLY": "question"}], indirect=True)
async def test_a_function_decides_what_it_replies_to(person: Person, model: Model) -> None:
    async with person() as ann:
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
    person: Person, room: Room, model: Model, failure: Reply
) -> None:
    async with person() as ann:
        model.will(failure, Reply("All of it."))
        await ann.says("Say it.")
        assert (await told(ann, 1))[-1] == "All of it."
        assert (await room.messages())[-1].content == "All of it."
        assert len(model.calls) == 2


@pytest.mark.parametrize("server", [{}, {"FAILURES": "room"}], ids=["asker", "room"], indirect=True)
async def test_who_shall_know_is_told_in_words_that_it_fails(
    person: Person, room: Room, model: Model
) -> None:
    async with person() as ann, person() as bob:
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
