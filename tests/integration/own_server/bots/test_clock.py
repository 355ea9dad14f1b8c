"""Bots that write at set times, when talk is unequal, or because the app asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from shiny_labchat import Bot, Lab, Message, Room, Rules
from shiny_labchat.bots import At, AuditEntry, BeforeClose, Every, Silence, Talk, Unequal
from shiny_labchat.callbacks.cursors import waiting
from shiny_labchat.callbacks.kinds import TALK
from tests.integration.conftest import log_of
from tests.support.models.model import Model, Reply

from .bot import AT_ONCE, echo, is_anns, outcomes, settled, texts, until

LATE = 10.0
"""By how many seconds a slow machine may be late."""


def triggers(entries: Sequence[AuditEntry]) -> list[tuple[str, str | None]]:
    return [(each.outcome, each.trigger) for each in entries]


def number(messages: Sequence[Message]) -> str:
    """Say how many messages there are."""
    return f"{len(messages)} so far"


# ── by the clock ──


async def test_it_writes_at_set_times_once_each(lab: Lab, at_work: None) -> None:
    room = lab.room("r", study="s", rules=Rules(rate=None))
    room.add_bot(Bot("machine", respond=number, when=At(0.5, 1.5), **AT_ONCE))
    await room.create()
    [opened] = [event for event in await log_of(room) if event.kind == "configured"]
    assert triggers(await settled(room, 2)) == [("posted", "at 0.5"), ("posted", "at 1.5")]
    said = await room.messages()
    assert [message.content for message in said] == ["0 so far", "1 so far"]
    for message, after in zip(said, (0.5, 1.5), strict=True):
        assert 0 <= message.at.timestamp() - opened.at / 1e6 - after < LATE
    await room.post("hello", author=await joined(room))
    await until(partial(has_gone_on, room, "bot:machine"))
    assert len(await room.audit()) == 2, "a message is nothing that it decides about"


async def joined(room: Room, who: str = "ann") -> str:
    return (await room.add_member(who)).id


async def has_gone_on(room: Room, callback: str) -> bool:
    """Whether a callback has no event before it."""
    return not await room.log.read(lambda conn: waiting(conn, callback, TALK))


async def test_it_writes_before_the_end_wherever_that_moves(lab: Lab, at_work: None) -> None:
    room = lab.room("r", study="s", rules=Rules(duration=4, starts="code"))
    room.add_bot(Bot("machine", respond=number, when=[At(0), BeforeClose(3)], **AT_ONCE))
    await room.start()
    await room.extend(2)
    assert triggers(await settled(room, 2)) == [("posted", "at 0"), ("posted", "before_close 3")]
    [started] = [event for event in await log_of(room) if event.kind == "started"]
    first, last = await room.messages()
    assert first.at.timestamp() - started.at / 1e6 < LATE
    assert 0 <= last.at.timestamp() - started.at / 1e6 - 3 < LATE


async def test_what_is_due_before_the_start_waits_for_it(lab: Lab, at_work: None) -> None:
    room = lab.room("r", study="s", rules=Rules(duration=60, starts="code"))
    room.add_bot(Bot("machine", respond=number, when=At(0), **AT_ONCE))
    await room.post("Welcome.")
    assert await outcomes(room, 0) == []
    await room.start()
    assert triggers(await settled(room, 1)) == [("posted", "at 0")]


async def test_a_moment_interrupts_who_waits_for_silence(lab: Lab, at_work: None) -> None:
    room = lab.room("r", study="s", rules=Rules(rate=None))
    bot = Bot("machine", respond=number, when=[Silence(60), At(1)], **AT_ONCE)
    room.add_bot(bot)
    await room.post("hello", author=await joined(room))
    assert triggers(await settled(room, 2, 20)) == [("silent", None), ("posted", "at 1")]


async def test_a_moment_that_was_over_before_the_app_had_the_bot_is_not_made_up_for(
    lab: Lab, at_work: None
) -> None:
    old = await lab.create_room("old", study="s")
    [opened] = [event for event in await log_of(old) if event.kind == "configured"]
    await until(lambda: is_past(opened.at / 1e6 + 0.2))
    lab.add_bot(Bot("machine", respond=number, when=At(0.1, 6), **AT_ONCE))
    await old.create()
    new = await lab.create_room("new", study="s")
    assert triggers(await settled(new, 2)) == [("posted", "at 0.1"), ("posted", "at 6")]
    assert triggers(await settled(old, 1)) == [("posted", "at 6")]


async def is_past(moment: float) -> bool:
    return time.time() > moment


async def test_a_model_is_told_that_it_is_its_turn(
    lab: Lab, model: Model, client: Callable[..., Any]
) -> None:
    model.will(Reply("Welcome!"), Reply("Go on."))
    room = lab.room("r", study="s", rules=Rules(rate=None))
    room.add_bot(Bot("machine", client=client(), when=At(0, 1), **AT_ONCE))
    await room.create()
    first, second = await settled(room, 2)
    assert await texts(room) == ["Welcome!", "Go on."]
    for entry in (first, second):
        assert entry.prompt is not None
        assert "[It is your turn to write.]" in str(entry.prompt[-1])
    assert second.prompt is not None and "Welcome!" in str(second.prompt[-2])


# ── several conditions ──


async def test_the_audit_has_which_condition_was_met(room: Room, ann: str, at_work: None) -> None:
    def is_question(message: Message) -> bool:
        return "?" in message.content

    when = ["mention", is_question, Every(3)]
    room.add_bot(Bot("machine", respond=echo, pseudonym="Otter", when=when, **AT_ONCE))
    for text in ("hi otter", "why?", "so", "well", "yes"):
        await room.post(text, author=ann)
        await settled(room, len([m for m in await room.messages() if m.member == ann]))
    name = "test_the_audit_has_which_condition_was_met.<locals>.is_question"
    assert triggers(await room.audit()) == [
        ("posted", "mention"),
        ("posted", name),
        ("silent", None),
        ("silent", None),
        ("posted", "every 3"),
    ]


async def test_a_function_sees_the_conversation(room: Room, ann: str, at_work: None) -> None:
    seen: list[Talk] = []

    async def looks(message: Message, talk: Talk) -> bool:
        assert message == talk.messages[-1]
        seen.append(talk)
        return len(talk.messages) == 3

    await joined(room, "bob")
    room.add_bot(Bot("machine", respond=echo, when=looks, **AT_ONCE))
    await room.post("Welcome.")
    for author, text in ((ann, "aaa"), ("bob", "b")):
        await room.post(text, author=author)
    await settled(room, 2)
    first, second = seen
    assert [each.id for each in second.members] == ["ann", "bob", "machine"]
    assert first.shares == {"ann": 1.0, "bob": 0.0, "machine": 0.0}
    assert second.shares == {"ann": 0.75, "bob": 0.25, "machine": 0.0}
    gap = (second.messages[-1].at - second.messages[-2].at).total_seconds()
    assert second.silence == gap and first.deadline is None
    assert await texts(room) == ["I heard: b"]


async def test_it_speaks_when_talk_is_unequal(room: Room, ann: str, at_work: None) -> None:
    await joined(room, "bob")
    when = Unequal(0.6, window=0.5, wait=60)
    room.add_bot(Bot("machine", respond=echo, when=when, disclose=True, **AT_ONCE))
    await room.post("begin", author="bob")
    [begun] = await room.messages()
    await until(lambda: is_past(begun.at.timestamp() + 0.5))
    for number, text in enumerate(("I say all of this alone", "and I go on"), start=2):
        await room.post(text, author=ann)
        await settled(room, number)
    assert triggers(await room.audit()) == [
        ("silent", None),
        ("posted", "unequal"),
        ("silent", None),
    ]
    assert await room.shares() == {"ann": 34 / 39, "bob": 5 / 39}


# ── asked ──


async def test_a_bot_writes_when_it_is_asked(
    lab: Lab, model: Model, client: Callable[..., Any]
) -> None:
    model.will(Reply("You agree."))
    room = lab.room("r", study="s", rules=Rules(rate=None))
    bot = Bot("machine", client=client(), when="mention", **AT_ONCE)
    room.add_bot(bot)
    await room.post("I agree.", author=await joined(room))
    await settled(room, 1)
    said = await room.ask(bot, instruction="Sum up what was said.")
    assert said is not None and (said.content, said.member) == ("You agree.", "machine")
    assert said == (await room.messages())[-1]
    asked = (await room.audit())[-1]
    assert (asked.outcome, asked.trigger, asked.became) == ("posted", "ask", said.seq)
    assert asked.prompt is not None
    assert "For your next message: Sum up what was said." in str(asked.prompt[0])
    assert "no reply" not in str(asked.prompt[0])
    [event] = [each for each in await log_of(room) if each.seq == asked.seq]
    assert event.kind == "triggered" and event.data["callback"] == "bot:machine"


async def test_a_bot_that_says_nothing_when_asked_returns_none(
    room: Room, ann: str, at_work: None
) -> None:
    room.add_bot(Bot("machine", respond=echo, max_messages=1, **AT_ONCE))
    await room.post("hello", author=ann)
    await settled(room, 1)
    assert await room.ask("machine") is None
    assert triggers(await room.audit())[-1] == ("silent", "ask")


async def test_each_asking_is_a_message_of_its_own(room: Room, at_work: None) -> None:
    bot = Bot("machine", respond=number, when="mention", max_in_a_row=None, **AT_ONCE)
    room.add_bot(bot)
    said = await asyncio.gather(*(room.ask(bot) for _ in range(3)))
    texts = [message.content for message in said if message is not None]
    assert sorted(texts) == ["0 so far", "1 so far", "2 so far"]


async def test_who_is_not_in_the_room_cannot_be_asked(room: Room, at_work: None) -> None:
    with pytest.raises(ValueError, match="has no bot 'machine'"):
        await room.ask("machine")
    assert not [event for event in await log_of(room) if event.kind == "triggered"]


# ── shadows ──


async def test_a_shadow_decides_and_composes_and_is_shown_to_nobody(
    room: Room, ann: str, at_work: None
) -> None:
    before = len(await log_of(room))
    when = [Every(2), At(5)]  # by then a busy machine has the bot, and the messages
    shadow = Bot("shadow", respond=echo, when=when, shadow=True, closing="Bye.", **AT_ONCE)
    room.add_bot(shadow)
    for text in ("one", "two"):
        await room.post(text, author=ann)
    found = {(e.outcome, e.trigger, e.reply, e.became) for e in await settled(room, 3, 60)}
    assert found == {
        ("silent", None, None, None),
        ("shadow", "every 2", "I heard: two", None),
        ("shadow", "at 5", "I heard: two", None),
    }
    kinds = [event.kind for event in (await log_of(room))[before:]]
    assert kinds == ["message", "message", "triggered"]
    assert [member.id for member in await room.members()] == [ann]
    assert await room.ask(shadow) is None
    assert (await room.audit())[-1].outcome == "shadow"


async def test_a_shadow_keeps_to_its_limits(room: Room, ann: str, at_work: None) -> None:
    room.add_bot(Bot("shadow", respond=echo, shadow=True, max_messages=2, end="leave", **AT_ONCE))
    for text in ("one", "two", "three"):
        await room.post(text, author=ann)
        await settled(room, len(await room.messages()))
    assert await outcomes(room, 3) == [
        ("shadow", None),
        ("shadow", None),
        ("silent", "max_messages"),
    ]


async def test_nobody_waits_for_a_shadow(lab: Lab, at_work: None) -> None:
    room = lab.room("r", study="s", rules=Rules(rate=None, max_composing=1))
    ann = await joined(room)
    slow = asyncio.Event()

    async def waits(messages: Sequence[Message]) -> str:
        await slow.wait()
        return "At last."

    room.add_bot(Bot("shadow", respond=waits, shadow=True, when=is_anns, **AT_ONCE))
    room.add_bot(Bot("machine", respond=echo, when=is_anns, **AT_ONCE))
    await room.post("hello", author=ann)
    await until(partial(has_said, room))
    slow.set()
    assert [each.outcome for each in await settled(room, 2)].count("shadow") == 1


async def has_said(room: Room) -> bool:
    return await texts(room) == ["I heard: hello"]
