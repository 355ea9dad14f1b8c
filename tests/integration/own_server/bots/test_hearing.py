"""What it costs that a bot hears a message to which it says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from shiny_labchat import Bot, Lab, Message, Room
from shiny_labchat.bots import Chance, Every
from shiny_labchat.bots.counts import since_own
from shiny_labchat.domain.commands import Post
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.lab.stream import RoomStream
from tests.support.work import counted

from .bot import AT_ONCE, echo, outcomes, settled, texts

SILENT = {
    "mention": ("mention", "when"),
    "chance": (Chance(0.0), "when"),
    "every": (Every(1_000), "when"),
    "muted": ("message", "muted"),
}


async def filled(room: Room, author: str, number: int) -> None:
    await asyncio.gather(*(room.post(f"{n}", author=author) for n in range(number)))


async def is_idle(lab: Lab) -> None:
    """Wait until no callback is at work."""
    scheduler = Runtime.of(lab.log).scheduler
    assert scheduler is not None
    async with asyncio.timeout(20):
        while scheduler._workers:
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.01)


@pytest.mark.parametrize("when", SILENT)
async def test_a_bot_that_stays_silent_reads_only_what_is_new(
    lab: Lab, room: Room, ann: str, at_work: None, when: str
) -> None:
    await filled(room, ann, 400)
    said, reason = SILENT[when]
    room.add_bot(Bot("machine", respond=echo, when=said, disclose=True, **AT_ONCE))
    await room.post("the first that it hears", author=ann)
    await settled(room, 1)
    await room.mute("machine")
    await is_idle(lab)
    with counted() as work:
        await room.post("one more", author=ann)
        await is_idle(lab)
    assert work["events"] < 20, "of 400"
    assert work["commits"] <= 2, "the message, and that the bot has heard it"
    assert (await room.audit())[-1].outcome == "silent"
    assert (await room.audit())[-1].reason in (reason, "when")


async def test_a_burst_is_heard_in_few_commits(
    lab: Lab, room: Room, ann: str, at_work: None
) -> None:
    room.add_bot(Bot("machine", respond=echo, when="mention", pseudonym="Otter", **AT_ONCE))
    await room.post("0", author=ann)
    await settled(room, 1)
    await is_idle(lab)
    with counted() as work:
        await filled(room, ann, 60)
        entries = await settled(room, 61)
        await is_idle(lab)
    assert work["commits"] <= 12, "of 61 messages"
    said = [m.seq for m in await room.messages() if m.member == ann]
    assert [entry.seq for entry in entries] == said, "each is on record, in order"
    assert {entry.reason for entry in entries} == {"when"}


async def test_it_reacts_to_what_it_is_for_between_others(
    lab: Lab, room: Room, ann: str, at_work: None
) -> None:
    room.add_bot(Bot("machine", respond=echo, when="mention", pseudonym="Otter", **AT_ONCE))
    for n in range(3):
        await room.announce("notice")
        await room.post("psst", author=ann, audience=[ann])
        await asyncio.gather(*(room.post(text, author=ann) for text in ("a", "b", "otter?")))
        await settled(room, 3 * n + 3)
    each = [("silent", "when"), ("silent", "when"), ("posted", None)]
    assert await outcomes(room, 9) == each * 3
    assert await texts(room) == ["I heard: otter?"] * 3


async def test_a_silent_bot_opens_no_room(lab: Lab, room: Room, ann: str, at_work: None) -> None:
    room.add_bot(Bot("machine", respond=echo, when="mention", pseudonym="Otter", **AT_ONCE))
    lingering = Runtime.of(lab.log).live.lingering
    await room.post("hello", author=ann)
    await settled(room, 1)
    await is_idle(lab)
    lingering.take(room.key)
    await room.post("hello", author=ann)
    await settled(room, 2)
    await is_idle(lab)
    assert not len(lingering)
    await room.post("otter?", author=ann)
    await settled(room, 3)
    await is_idle(lab)
    assert len(lingering) == 1


async def test_what_a_dead_server_began_is_not_skipped(
    lab: Lab, room: Room, ann: str, at_work: None
) -> None:
    """It posted, and died before it could note that: the record is put in order."""
    room.add_bot(Bot("machine", respond=echo, when="mention", pseudonym="Otter", **AT_ONCE))
    await room.create()
    scheduler = Runtime.of(lab.log).scheduler
    assert scheduler is not None
    await scheduler.stop()
    said = await room.post("hello", author=ann)
    reply = Post([("text", "Yes.")], "user", "machine", cid=f"bot:{said.seq}")
    posted = await room.submit(reply)
    scheduler.start()
    await room.post("more", author=ann)
    async with asyncio.timeout(20):
        while not [entry for entry in await room.audit() if entry.reason == "when"]:
            pass
    assert await texts(room) == ["Yes."]
    assert posted.events[0].seq > said.seq


async def test_others_are_counted_whatever_they_are(room: Room, ann: str, at_work: None) -> None:
    """Streams count when they have ended; notices, private messages and withheld streams do not."""
    await room.add_member("machine", "Otter")
    seed = (await room.state()).seed

    async def count() -> int:
        head = (await room.state()).seq
        return (await since_own(room.log, room.key, seed, "machine", [head]))[0]

    async def stream(by: str, how: Any, **options: Any) -> Callable[[], Any]:
        opened = await RoomStream.open(room, Post((), "user", by, **options), None)
        assert opened is not None
        await opened.append([("text", "words")])
        return lambda: opened.close(how)

    assert await count() == 0
    await room.post("1", author=ann)
    await room.announce("notice")
    await room.post("private", author=ann, audience=[ann])
    assert await count() == 1
    end_anns, end_own = await stream(ann, "done"), await stream("machine", "done")
    await room.post("2", author=ann)
    assert await count() == 2
    await end_own()
    assert await count() == 1, "what was said after its own began"
    await end_anns()
    assert await count() == 2
    await room.post("own", author="machine")
    assert await count() == 0


async def test_a_function_decides_as_before(room: Room, ann: str, at_work: None) -> None:
    heard: list[str] = []

    def when(message: Message) -> bool:
        heard.append(message.content)
        return False

    room.add_bot(Bot("machine", respond=echo, when=when, **AT_ONCE))
    await filled(room, ann, 5)
    assert await outcomes(room, 5) == [("silent", "when")] * 5
    assert heard == [f"{n}" for n in range(5)], "once each"
