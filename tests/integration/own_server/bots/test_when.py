"""When bots speak, how long it takes them, and what becomes of it when talk moves on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shiny_labchat import Bot, Lab, Message, Room, Rules
from shiny_labchat.bots import Every, Silence
from shiny_labchat.domain.commands import Post
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.lab.stream import RoomStream
from tests.integration.conftest import log_of
from tests.integration.own_server.conftest import Person

from .bot import AT_ONCE, a_bot, echo, is_anns, outcomes, settled, texts, until

APP = ["-m", "uvicorn", "tests.integration.apps.bots:app"]
TRIES = 10
LATE = 10.0
"""By how many seconds a busy machine may be late."""


@a_bot(seed=1, jitter=0, typing=240)
async def test_it_takes_as_long_as_reading_and_typing(person: Person, lab: Lab) -> None:
    """The rest is the machine's, which may be busy at one time, but not at all of them."""
    room = lab.room("bots", study="tests")
    rest: dict[str, float] = {}
    async with person() as ann:
        for text in ("hello", "how are you today my friend?") * TRIES:
            if rest.get(text, 1) < 0.5:
                continue
            await ann.says(text)
            await ann.hears("typing", who=[])
            await ann.sees(text, f"I heard: {text}")
            asked, answered = await room.messages(last=2)
            reading = len(asked.content.split()) * 60 / 238
            typing = len(answered.content) / 5 * 60 / 240
            rest[text] = (answered.at - asked.at).total_seconds() - (reading + typing)
            assert rest[text] > -0.05
    assert all(each < 0.5 for each in rest.values()), rest


async def test_each_silence_is_on_record(room: Room, ann: str, at_work: None) -> None:
    room.add_bot(Bot("machine", respond=echo, when=Every(2), **AT_ONCE))
    for n in range(1, 5):
        await room.post(f"{n}", author=ann)
        await settled(room, n)
    assert await texts(room) == ["I heard: 2", "I heard: 4"]
    entries = await room.audit()
    assert [(e.outcome, e.reason, e.asked is not None) for e in entries] == [
        ("silent", "when", False),
        ("posted", None, True),
        ("silent", "when", False),
        ("posted", None, True),
    ]
    seqs = [m.seq for m in await room.messages() if m.member == ann]
    assert [e.seq for e in entries] == seqs
    assert [e.became for e in entries if e.became] == [
        m.seq for m in await room.messages() if m.member == "machine"
    ]


async def test_it_breaks_a_silence_once(room: Room, ann: str, at_work: None) -> None:
    room.add_bot(Bot("machine", respond=echo, when=Silence(2.0), **AT_ONCE))
    await room.post("one", author=ann)
    await room.post("two", author=ann)
    entries = await settled(room, 2)
    assert [(e.outcome, e.reason) for e in entries] == [
        ("silent", "talk went on"),
        ("posted", None),
    ]
    first, last = (await room.messages())[1:]
    assert 1.9 < (last.at - first.at).total_seconds() < LATE


async def test_a_mention_a_function_and_the_script_decide(
    room: Room, ann: str, at_work: None
) -> None:
    async def is_question(message: Message) -> bool:
        return "?" in message.content

    room.add_bot(Bot("called", respond=echo, pseudonym="Otter", when="mention", **AT_ONCE))
    room.add_bot(Bot("asked", respond=echo, when=is_question, max_in_a_row=1, **AT_ONCE))
    room.add_bot(Bot("mute", respond=lambda messages: None, max_in_a_row=9, **AT_ONCE))
    await room.post("hello otter", author=ann)
    await settled(room, 3)
    await room.post("well?", author=ann)
    async with asyncio.timeout(10):
        while not await texts(room, "asked"):
            pass
    assert await texts(room, "called") == ["I heard: hello otter"]
    assert await texts(room, "asked") == ["I heard: well?"]
    assert await texts(room, "mute") == []
    mute = [e.reason for e in await room.audit() if e.bot == "mute" and e.outcome == "silent"]
    assert set(mute) == {"model"}


async def test_private_messages_and_notices_are_not_heard(
    room: Room, ann: str, at_work: None
) -> None:
    heard: list[list[str]] = []

    def listen(messages: Sequence[Message]) -> None:
        heard.append([message.content for message in messages])

    room.add_bot(Bot("machine", respond=listen, **AT_ONCE))
    await room.post("secret", author=ann, audience=[ann])
    await room.announce("Welcome.")
    await room.post("hello", author=ann)
    await settled(room, 1)
    assert heard == [["Welcome.", "hello"]]


# ── when talk moves on ──


@pytest.mark.parametrize("moved_on", ["send", "redraft", "drop"])
async def test_talk_moves_on(room: Room, ann: str, at_work: None, moved_on: Any) -> None:
    room.add_bot(
        Bot("machine", respond=echo, moved_on=moved_on, reading=None, typing=60, jitter=0, seed=1)
    )
    await room.post("one", author=ann)
    entries = await room.audit()
    while not [e for e in entries if e.done]:  # it types now
        entries = await room.audit()
    await room.post("two", author=ann)
    two = (await room.messages())[1].seq
    if moved_on == "send":
        assert await outcomes(room, 2) == [("posted", None), ("posted", None)]
        assert await texts(room) == ["I heard: one", "I heard: two"]
    elif moved_on == "redraft":
        assert await outcomes(room, 3) == [
            ("redrafted", "talk went on"),
            ("posted", None),
            ("covered", "covered"),
        ]
        assert await texts(room) == ["I heard: two"]
    else:
        assert await outcomes(room, 2) == [("dropped", "talk went on"), ("posted", None)]
        assert await texts(room) == ["I heard: two"]
        assert [e.seq for e in await room.audit()][-1] == two


async def test_no_more_compose_at_once_than_may(lab: Lab, at_work: None) -> None:
    room = await lab.create_room("few", study="s", rules=Rules(rate=None, max_composing=2))
    await room.add_member("ann")
    for n in range(6):
        bot = Bot(f"bot{n}", respond=echo, reading=None, typing=600, when=is_anns)
        room.add_bot(bot)
    for n in range(3):
        await room.post(f"{n}", author="ann")
    spans: list[Any] = []
    async with asyncio.timeout(40):
        while len(spans) < 6:
            entries = await room.audit()
            spans = [(e.asked, e.posted) for e in entries if e.asked and e.posted]
    for begun, _ in spans:
        assert sum(a <= begun < b for a, b in spans) <= 2


async def test_what_was_said_while_it_composed_does_not_count(
    room: Room, ann: str, at_work: None
) -> None:
    go_on = asyncio.Event()

    async def slow(messages: Sequence[Message]) -> str:
        await go_on.wait()
        return echo(messages)

    room.add_bot(Bot("machine", respond=slow, when=Every(3), **AT_ONCE))
    for n in "123":
        await room.post(n, author=ann)
    await until(lambda: is_asked(room))
    for n in "45":
        await room.post(n, author=ann)
    go_on.set()
    assert [outcome for outcome, _ in await outcomes(room, 5)] == [
        *("silent", "silent", "posted", "silent", "silent"),
    ]


async def is_asked(room: Room) -> bool:
    return any(entry.asked for entry in await room.audit())


@pytest.mark.parametrize(
    "options",
    [
        {"moved_on": "drop", "reading": None, "typing": 120, "jitter": 0},
        {"when": Silence(1.0), **AT_ONCE},
    ],
    ids=["drop", "silence"],
)
async def test_what_programmes_say_is_no_talk(
    room: Room, ann: str, at_work: None, options: Any
) -> None:
    room.add_bot(Bot("machine", respond=echo, **options))
    live = await Runtime.of(room.log).live.open(room.key)
    await room.post("hello", author=ann)
    if "moved_on" in options:
        await until(lambda: is_asked(room))
    await room.announce("5 minutes left")
    assert await outcomes(room, 1) == [("posted", None)]
    live.leave()


async def test_what_was_cleared_meanwhile_is_not_answered(
    room: Room, ann: str, at_work: None
) -> None:
    heard: list[list[str]] = []
    is_cleared = asyncio.Event()

    async def note(messages: Sequence[Message]) -> str:
        heard.append([message.content for message in messages])
        await is_cleared.wait()
        return "Yes."

    room.add_bot(Bot("machine", respond=note, **AT_ONCE))
    await room.post("one", author=ann)
    await until(lambda: is_asked(room))
    await room.post("two", author=ann)
    await room.clear()
    is_cleared.set()
    assert await outcomes(room, 2) == [("posted", None), ("silent", "cleared")]
    await room.post("three", author=ann)
    await settled(room, 3)
    assert heard == [["one"], ["Yes.", "three"]]


# ── messages that come piece by piece ──


async def test_a_stream_breaks_the_silence_until_it_is_whole(
    room: Room, ann: str, at_work: None
) -> None:
    room.add_bot(Bot("machine", respond=echo, when=Silence(0.5), **AT_ONCE))
    await room.add_member("bob", "Bob")
    async with speaks(room, "bob") as speaker:
        await room.post("go", author=ann)
        assert await outcomes(room, 1) == [("silent", "talk went on")]
        await speaker.append([("text", "It is so.")])
        begun = asyncio.get_running_loop().time()
        await until(lambda: is_past(begun + 0.6))
    posted = (await settled(room, 2))[1]
    assert posted.outcome == "posted" and posted.posted is not None
    [end] = [event for event in await log_of(room) if event.kind == "streamed"]
    assert 0.5 <= posted.posted.timestamp() - end.at / 1e6 < LATE


async def test_a_stream_that_ends_after_an_answer_is_answered(
    room: Room, ann: str, at_work: None
) -> None:
    heard: list[list[str]] = []

    def note(messages: Sequence[Message]) -> str:
        heard.append([message.content for message in messages])
        return "Yes."

    room.add_bot(Bot("machine", respond=note, when=Every(1), **AT_ONCE))
    await room.add_member("bob", "Bob")
    async with speaks(room, "bob") as speaker:
        await room.post("meanwhile", author=ann)
        await settled(room, 1)
        await speaker.append([("text", "It is so.")])
    assert await outcomes(room, 2) == [("posted", None), ("posted", None)]
    assert heard == [["meanwhile"], ["meanwhile", "Yes.", "It is so."]]


@asynccontextmanager
async def speaks(room: Room, who: str) -> AsyncIterator[RoomStream]:
    """A stream of a member's, open until the end."""
    speaker = await RoomStream.open(room, Post((), "user", who), None)
    assert speaker is not None
    try:
        yield speaker
    finally:
        await speaker.close("done")


async def is_past(moment: float) -> bool:
    return asyncio.get_running_loop().time() > moment
