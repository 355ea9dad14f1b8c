"""Bots and their models, over the wire, and what is on record of that."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest
import sqlalchemy as sa
from chatlas import AssistantTurn, UserTurn

from shiny_labchat import Bot, Lab, Room, Rules
from shiny_labchat.bots import Budget
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import text_of
from shiny_labchat.lab.runtime import Runtime, running
from shiny_labchat.store import events_after, find_room
from tests.support.models.model import Call, Model, Reply, Tool
from tests.support.models.stand_in import StandIn

from .bot import AT_ONCE, is_anns, outcomes, rows, settled, texts


async def test_a_call_is_on_record_with_all_that_belongs_to_it(
    room: Room, ann: str, client: Any, model: Model
) -> None:
    bot = Bot("machine", client=client, pseudonym="Otter", seed=7, **AT_ONCE)
    room.add_bot(bot)
    await room.post("What is it?", author=ann)
    await settled(room, 1)
    model.will(Reply("Otter: It is  \x07this.", pieces=3))
    await room.post("And that?", author=ann)
    first, second = await settled(room, 2)
    assert await texts(room) == ["You said: Ann: What is it?", "It is  this."]
    assert second.reply == "Otter: It is  \x07this.", "the record has what came"
    assert second.prompt is not None
    assert [(t["role"], t["contents"][0]["text"]) for t in second.prompt] == [
        *model.calls[1].messages
    ]
    assert model.calls[1].messages[0][1].startswith('Be brief.\n\nYou are "Otter"')
    assert model.calls[1].messages[1:] == [
        ("user", "Ann: What is it?"),
        ("assistant", "You said: Ann: What is it?"),
        ("user", "Ann: And that?"),
    ]
    assert (second.provider, second.model) == ("OpenAI", "gpt-4.1-nano")
    assert second.seed == model.calls[1].body["seed"] != first.seed
    address = f"{model.url.rstrip('/')}/"
    assert second.parameters == {"seed": second.seed, "base_url": address}
    assert (second.tokens_in, second.tokens_out) == model.calls[1].tokens
    assert second.cost is not None and second.cost > 0
    assert second.asked and second.first and second.done and second.posted
    assert second.asked <= second.first <= second.done <= second.posted
    messages = await room.messages()
    assert (second.seq, second.became) == (messages[2].seq, messages[3].seq)


RAMBLING = "<think>\nAnn: hm\n</think>\nOtter: Yes.\n<THINKING>Is it?\nAnn: Thanks!\nOtter: Well"
"""What a model may say that has seen many transcripts."""


@pytest.mark.parametrize(
    "pieces", [9, *(pytest.param(n, marks=pytest.mark.long) for n in (1, len(RAMBLING)))]
)
@pytest.mark.parametrize("disclose", [False, True], ids=["typed", "streamed"])
async def test_a_bot_says_its_own_words_only_and_the_record_has_all(
    room: Room, ann: str, client: Any, model: Model, disclose: bool, pieces: int
) -> None:
    bot = Bot("machine", client=client, pseudonym="Otter", disclose=disclose, **AT_ONCE)
    room.add_bot(bot)
    replies = [RAMBLING, RAMBLING.replace("<THINKING>Is it?\n", ""), "Ann: That is mine."]
    for n, text in enumerate(replies, start=1):
        model.will(Reply(text, pieces=pieces))
        await room.post("Is it?", author=ann)
        entries = await settled(room, n)
    assert await texts(room) == ["Yes.", "Yes."]
    assert [each.reply for each in entries] == replies
    assert [each.outcome for each in entries] == ["posted", "posted", "silent"]
    told = [text for role, text in model.calls[-1].messages if role == "assistant"]
    assert told == ["Yes.", "Yes."]

    def read(conn: sa.Connection) -> list[Event]:
        found = find_room(conn, room.key)
        assert found is not None
        return events_after(conn, found[0], 0)

    assert "Thanks" not in str(await room.log.read(read)), "nor was it there for a moment"


@pytest.mark.parametrize(
    "failure",
    [
        Reply(status=429, retry_after=0.05),
        Reply(status=500),
        Reply("half", pieces=4, cut=2),
        Reply("half", pieces=4, cut=2, how="error"),
        Reply("half", pieces=4, cut=2, how="end"),
    ],
    ids=["429", "500", "cut", "error", "ended"],
)
async def test_each_try_is_a_call_on_record(
    room: Room, ann: str, client: Any, model: Model, failure: Reply
) -> None:
    room.add_bot(Bot("machine", client=client, **AT_ONCE))
    model.will(failure, Reply("All of it."))
    await room.post("Say it.", author=ann)
    entries = await settled(room, 2)
    assert [e.outcome for e in entries] == ["failed", "posted"]
    assert entries[0].reason
    assert await texts(room) == ["All of it."]
    assert len(model.calls) == len(rows(entries)) == 2


async def test_who_fails_says_nothing_and_the_fallback_speaks(
    room: Room, ann: str, client: Any, model: Model
) -> None:
    with Model() as other:
        room.add_bot(Bot("lonely", client=client, when=is_anns, **AT_ONCE))
        helped = Bot(
            "helped",
            client=client,
            fallback=lambda: client(other),
            when=is_anns,
            **AT_ONCE,
        )
        room.add_bot(helped)
        model.will(Reply(status=401), Reply(status=401))
        other.will(Reply("I can."))
        await room.post("Who can?", author=ann)
        await settled(room, 3)
        entries = rows(await room.audit())
        assert await texts(room, "lonely") == [] and await texts(room, "helped") == ["I can."]
        assert sorted((e.bot, e.outcome, e.is_fallback) for e in entries) == [
            ("helped", "failed", False),
            ("helped", "posted", True),
            ("lonely", "failed", False),
        ]
        assert "Traceback" not in str(await room.messages())


async def test_calls_of_tools_are_on_record(
    room: Room, ann: str, client: Any, model: Model
) -> None:
    weatherman = client()

    def weather(city: str) -> str:
        """The weather of a city."""
        return f"18 degrees in {city}"

    weatherman.register_tool(weather)
    room.add_bot(Bot("machine", client=weatherman, **AT_ONCE))
    model.will(Reply("Let me look.", tools=[Tool("weather", {"city": "Oslo"})]), Reply("18."))
    await room.post("How warm is it?", author=ann)
    entries = await settled(room, 2)
    assert sorted(e.outcome for e in entries) == ["posted", "tool"]
    assert len(model.calls) == len(rows(entries)) == 2
    [last] = [e for e in entries if e.outcome == "posted"]
    assert "18 degrees in Oslo" in json.dumps(last.prompt)
    assert sum(e.tokens_in or 0 for e in entries) == sum(c.tokens[0] for c in model.calls)


async def test_a_disclosed_bot_streams(room: Room, ann: str, client: Any, model: Model) -> None:
    room.add_bot(Bot("machine", client=client, disclose=True, **AT_ONCE))
    model.will(Reply("half of it", pieces=4, cut=2), Reply("all of it", pieces=3, hold=2))
    await room.post("Say it.", author=ann)
    live = await Runtime.of(room.log).live.open(room.key)
    async with asyncio.timeout(10):
        while not [s for s in live.streams.open.values() if text_of(s.parts) == "all of"]:
            await room.members()
    model.go_on()
    failed, posted = await settled(room, 2)
    live.leave()
    assert (failed.outcome, posted.outcome, posted.reply) == ("failed", "posted", "all of it")
    [said] = [m for m in await room.messages() if m.member == "machine"]
    assert (said.content, said.role, said.seq) == ("all of it", "assistant", posted.became)


async def test_the_model_itself_decides(room: Room, ann: str, client: Any, model: Model) -> None:
    room.add_bot(Bot("machine", client=client, when="model", **AT_ONCE))
    model.will(Reply("[no reply]"), Reply("Now I do."))
    await room.post("hm", author=ann)
    await settled(room, 1)
    await room.post("and now?", author=ann)
    assert await outcomes(room, 2) == [("silent", "model"), ("posted", None)]
    assert await texts(room) == ["Now I do."]
    assert len(model.calls) == len(rows(await room.audit())) == 2


async def test_a_budget_is_never_exceeded(lab: Lab, client: Any, model: Model) -> None:
    """Three rooms at once, one budget of five calls."""
    budget = Budget(calls=5)
    bot = Bot("machine", client=client, budget=budget, when=is_anns, **AT_ONCE)
    rooms = [lab.room(f"r{n}", study="s", rules=Rules(rate=None)) for n in range(3)]
    lab.add_bot(bot, "r*")
    for room in rooms:
        await room.add_member("ann")
    for n in range(4):
        for room in rooms:
            await room.post(f"{n}", author="ann")
        for room in rooms:
            await settled(room, n + 1)
    entries = await lab.audit("s")
    assert len(model.calls) == len(rows(entries)) == 5
    assert sum(e.reason == "budget" for e in entries) == 7
    assert await lab.audit("another study") == []


async def test_when_the_budget_is_spent_the_fallback_speaks(
    room: Room, ann: str, client: Any, model: Model
) -> None:
    with Model() as other:
        bot = Bot(
            "machine",
            client=client,
            study_budget=Budget(money=1e-9),
            end="fallback",
            fallback=lambda: client(other),
            **AT_ONCE,
        )
        room.add_bot(bot)
        for n in range(2):
            await room.post(f"{n}", author=ann)
            await settled(room, n + 1)
        assert [len(model.calls), len(other.calls)] == [1, 1]
        assert [e.is_fallback for e in await room.audit()] == [False, True]


@pytest.mark.parametrize("disclose", [False, True], ids=["typed", "streamed"])
async def test_a_client_with_chatlas_public_methods_is_enough(
    lab: Lab, client: Any, disclose: bool
) -> None:
    def weather(city: str) -> str:
        """The weather of a city."""
        return f"18 degrees in {city}"

    def script(call: Call) -> Reply | None:
        return None if call.results else Reply("Let me.", tools=tools)

    tools = [Tool("weather", {"city": city}) for city in ("Oslo", "Rome")]
    rooms = [lab.room(f"r{n}", study="s", rules=Rules(rate=None)) for n in range(2)]
    with Model(script) as scripted:
        chat = client(scripted)
        chat.register_tool(weather)
        chat.set_turns([UserTurn("before"), AssistantTurn("I was asked.")])
        stand_in = StandIn(chat)
        bot = Bot("machine", client=stand_in, when=is_anns, seed=7, disclose=disclose, **AT_ONCE)
        for room in rooms:
            room.add_bot(bot)
            await room.add_member("ann", f"Ann of {room.id}")
            await room.post("How warm is it?", author="ann")
        for room in rooms:
            tool, posted = await settled(room, 2)
            assert (tool.outcome, posted.outcome, tool.is_call) == ("tool", "posted", True)
            assert tool.prompt is not None and posted.prompt is not None
            assert [turn["role"] for turn in tool.prompt] == ["system", "user"]
            assert f"Ann of {room.id}: How warm" in str(tool.prompt), "rooms are not mixed up"
            assert "18 degrees in Rome" in str(posted.prompt)
            assert (tool.provider, tool.model, tool.parameters) == ("StandIn", None, {})
            assert tool.tokens_in and posted.tokens_in
        assert len(scripted.calls) == 4 and stand_in.most == 1, "one reply after the other"
    assert [turn.text for turn in stand_in.get_turns()] == ["before", "I was asked."]
    assert stand_in.system_prompt == "Be brief."


async def test_a_function_that_makes_no_client_is_on_record(room: Room, ann: str) -> None:
    async with running():
        room.add_bot(Bot("machine", client=lambda: cast("Any", "gpt-4.1"), **AT_ONCE))
        await room.post("Hello?", author=ann)
        [entry] = await settled(room, 1)
    assert entry.outcome == "failed" and "respond=respond" in (entry.reason or "")
