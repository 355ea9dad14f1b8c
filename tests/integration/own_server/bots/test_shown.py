"""What others are shown of bots."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from shiny_labchat import Lab
from tests.integration.own_server.conftest import Person
from tests.support.client import Browser, Frame, browser
from tests.support.server import Server

from .bot import AT_ONCE, a_bot

APP = ["-m", "uvicorn", "tests.integration.apps.bots:app"]


@asynccontextmanager
async def ear(person: Person, chat: str) -> AsyncIterator[Browser]:
    """One who says hello, and hears another's answer."""
    async with person(chat) as ann:
        await ann.hears("presence", n=2)
        await ann.says("hello")
        yield ann
        await ann.sees("hello", "I heard: hello")
        await ann.hears("typing", who=[])
        await ann.settles()


def as_anybody(ann: Browser, *others: Browser) -> list[list[Frame]]:
    """
    Frames without what must differ: texts, times, and the random names of two people.

    Those of ann, who has talked to the other one, and the welcomes of others.
    """
    own = ann.welcome["you"]
    names = {own["h"]: "H-ANN", own["name"]: "ANN"}
    there = next(f for f in reversed(ann.frames) if f["t"] == "presence")
    for handle, name, _ in there["who"]:
        names.setdefault(handle, "H-OTHER")
        names.setdefault(name, "OTHER")
    shown: list[list[Frame]] = []
    for frames in (ann.frames, *([{"t": "late", "e": each.welcome["e"]}] for each in others)):
        text = json.dumps([frame for frame in frames if frame["t"] not in ("checked", "here")])
        for n, id in enumerate(dict.fromkeys(re.findall(r'"id": "([\w-]{11})"', text))):
            text = text.replace(id, f"ID-{n}")
        for real, instead in names.items():
            text = text.replace(json.dumps(real)[1:-1], instead)
        shown.append([_without_chance(frame) for frame in json.loads(text)])
    return shown


def _without_chance(frame: Frame) -> Frame:
    frame = {key: value for key, value in frame.items() if key != "resume"}
    if frame["t"] == "presence":
        frame["who"].sort()
    if frame["t"] == "acks":
        frame["of"] = [["cid", id] for _, id in frame["of"]]
    for item in frame.get("e", []):
        item.pop("at")
    return frame


def in_order(frames: Sequence[Frame]) -> dict[str, list[Frame]]:
    """Frames by type; of who is here only the last: it is said at most twice a second."""
    by_type = {frame["t"]: [f for f in frames if f["t"] == frame["t"]] for frame in frames}
    return by_type | {"presence": by_type["presence"][-1:]}


def kinds(frames: Sequence[Frame]) -> list[str]:
    """The types of frames; who is here is said when there is time for it."""
    return [frame["t"] for frame in frames if frame["t"] not in ("presence", "here")]


@a_bot(typing=60, seed=1)
async def test_an_undisclosed_bot_is_a_person_in_every_frame(
    server: Server, person: Person, lab: Lab
) -> None:
    bots, persons = await as_a_person(person, lab)
    assert kinds(bots) == kinds(persons)


@a_bot(transforms=True, typing=60, seed=1)
async def test_its_messages_have_the_numbers_of_a_persons_whose_words_are_transformed(
    server: Server, person: Person, lab: Lab
) -> None:
    await as_a_person(person, lab)


async def as_a_person(person: Person, lab: Lab) -> tuple[list[Frame], list[Frame]]:
    """
    Have the same words said in two rooms: a person's in one, the bot's in the other.

    Gives what is seen of the bot, and of the person.
    """
    async with person("people") as bob:
        async with ear(person, "people") as ann:
            await bob.sees("hello")
            await bob.tell(t="typing")
            await ann.hears("typing")
            await bob.says("I heard: hello")
        async with person("people") as late:
            persons = as_anybody(ann, late)
    async with ear(person, "chat") as ann:
        await ann.hears("typing")
    async with person() as late:
        bots = as_anybody(ann, late)
    assert in_order(bots[0]) == in_order(persons[0])
    assert bots[1] == persons[1]
    room = lab.room("bots", study="tests")
    [machine] = [m for m in await room.members() if m.id == "machine"]
    assert machine.role == "assistant", "the log knows"
    everything = json.dumps([*ann.frames, *late.frames])
    assert "machine" not in everything and '"bot' not in everything
    assert "assistant" not in everything
    return bots[0], persons[0]


@a_bot(**AT_ONCE)
async def test_disclosing_shows_what_it_is_and_what_it_has_said(
    server: Server, person: Person, lab: Lab
) -> None:
    room = lab.room("bots", study="tests")
    async with person() as ann, person() as bob:
        await ann.says("hello")
        await bob.sees("hello", "I heard: hello")
        [own] = [m.id for m in await room.members() if m.pseudonym == ann.welcome["you"]["name"]]

        await room.disclose("machine", to=[own])
        assert roles_in(await ann.hears("welcome", reset=True)) == ["user", "assistant"]
        assert "assistant" in [role for _, _, role in (await ann.hears("presence"))["who"]]
        await ann.says("so?")
        for each in (ann, bob):
            await each.sees("so?", "I heard: so?")
        assert [item["role"] for item in ann.items.values()][-1] == "assistant"
        assert "assistant" not in json.dumps(bob.frames)
        async with person() as eve:
            await eve.hears("presence")
            assert "assistant" not in json.dumps(eve.frames)

            await room.disclose()
            for each in (bob, eve):
                frame = await each.hears("welcome", reset=True)
                assert roles_in(frame) == ["user", "assistant", "user", "assistant"]
                await each.hears("presence")
        async with browser(server.port) as again:
            await again.hello(
                resume=bob.welcome["resume"] or "",
            )
            assert roles_in(again.welcome) == ["user", "assistant", "user", "assistant"]
    before = len([m for m in await room.messages() if m.role == "assistant"])
    assert before == 0, "the log keeps what was shown then"


def roles_in(frame: Frame) -> list[str]:
    return [item.get("role", "user") for item in frame["e"] if "k" not in item]


@a_bot(**AT_ONCE, disclose=True)
async def test_a_disclosed_bot_is_an_assistant_from_the_beginning(person: Person) -> None:
    async with person() as ann:
        await ann.says("hello")
        await ann.sees("hello", "I heard: hello")
        assert [item["role"] for item in ann.items.values()] == ["user", "assistant"]
        there = await ann.hears("presence", n=2)
        assert sorted(role for _, _, role in there["who"]) == ["assistant", "participant"]
