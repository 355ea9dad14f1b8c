"""What bots were told is read as it was, and the record of it is as long as the talk."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat import Lab, Message, Room
from shiny_labchat.audit import entries
from shiny_labchat.audit.prompts import TURN_BYTES, Base, Told, joined, told_of
from shiny_labchat.store import schema

texts = st.sampled_from("abc").map(lambda text: {"text": text})
turns = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant"]), "contents": st.lists(texts, max_size=4)}
)
messages = st.fixed_dictionaries({"value": st.sampled_from([0, False, -0.0, 1, True, 1.0])})
prompts = st.lists(turns | messages, max_size=6)


@given(st.lists(prompts, max_size=6), st.integers(0, 12))
def test_a_prompt_is_put_together_as_it_was(wholes: list[list[Any]], most: int) -> None:
    told = Told(most * (TURN_BYTES + 20))
    read: dict[int, Any] = {}
    for n, whole in enumerate(wholes):
        prompt = told.prompt("who", whole)
        new = orjson.loads(orjson.dumps(prompt.new))
        if prompt.base is None:
            read[n] = new
        else:
            read[n] = joined(read[prompt.base.entry], prompt.kept, prompt.within, new)
        told.remember("who", Base(n, 0), whole)
        assert orjson.dumps(read[n]) == orjson.dumps(whole)


def test_only_so_much_is_remembered_of_those_used_last() -> None:
    told = Told(most=10 * (TURN_BYTES + 2))
    for n in range(5):
        told.remember(n, Base(n, 0), [n] * 4)
    assert [told.prompt(n, [n]).kept for n in range(5)] == [0, 0, 0, 1, 1]
    told.remember("long", Base(9, 0), [0] * 11)
    assert told.prompt("long", [0]).base is None
    told.remember(0, Base(10, 0), [0] * 10)
    assert told.prompt(0, [0] * 10).kept == 10, "what is forgotten takes no place"


async def ask(lab: Lab, room: Room, whole: Sequence[Any], bot: str = "machine") -> None:
    whose = room.key, bot
    prompt = told_of(lab.log).prompt(whose, whole)

    def add(conn: sa.Connection, now: int) -> Base:
        fields = {"seq": 1, "knew": 1, "outcome": "open"}
        return Base(entries.add(conn, now, room.key, bot, prompt, **fields), now)

    told_of(lab.log).remember(whose, await lab.log.write(add), whole)


async def stored(lab: Lab) -> int:
    sizes = sa.select(sa.func.sum(sa.func.length(schema.audit.c.prompt)))
    return await lab.log.read(lambda conn: conn.execute(sizes).scalar_one())


def talk(upto: int) -> list[dict[str, Any]]:
    return [{"role": "user", "contents": [{"text": f"message {n}"}]} for n in range(upto)]


async def test_a_talk_is_written_down_once(lab: Lab, room: Room) -> None:
    for n in range(1, 101):
        await ask(lab, room, talk(n))
    assert await stored(lab) < 1.2 * len(orjson.dumps(talk(100)))
    assert [entry.prompt for entry in await room.audit()] == [talk(n) for n in range(1, 101)]
    assert await room.audit() == await lab.audit("s") == await lab.audit()


async def test_a_turn_that_grows_is_written_down_once(lab: Lab, room: Room) -> None:
    """As of a model that is asked again and again, and says nothing."""

    def heard(upto: int) -> list[dict[str, Any]]:
        system = {"role": "system", "contents": [{"text": "Be brief."}]}
        contents = [{"text": f"message {n}"} for n in range(upto)]
        return [system, {"role": "user", "contents": contents}]

    for n in range(1, 101):
        await ask(lab, room, heard(n))
    assert [entry.prompt for entry in await room.audit()] == [heard(n) for n in range(1, 101)]
    overhead = 100 * len(orjson.dumps(heard(0)[1:]))
    assert await stored(lab) < 1.2 * len(orjson.dumps(heard(100))) + overhead


async def test_rooms_and_bots_have_records_of_their_own(lab: Lab, room: Room) -> None:
    other = await lab.create_room("other", study="t")
    for n in range(1, 5):
        for where, bot in ((room, "one"), (room, "two"), (other, "one")):
            await ask(lab, where, [*talk(n), {"role": bot, "contents": []}], bot)
    told = [(entry.bot, entry.prompt) for entry in await room.audit()]
    assert told == [
        (bot, [*talk(n), {"role": bot, "contents": []}])
        for n in range(1, 5)
        for bot in ("one", "two")
    ]
    assert len(await lab.audit("t")) == 4 and len(await lab.audit()) == 12


async def test_where_the_entry_is_gone_all_is_written_again(lab: Lab, room: Room) -> None:
    """Also if another one has its key, as in another database."""
    await ask(lab, room, talk(3))
    await lab.log.write(lambda conn, now: conn.execute(sa.delete(schema.audit)))
    await ask(lab, room, talk(4))
    await ask(lab, room, talk(5))
    assert [entry.prompt for entry in await room.audit()] == [talk(4), talk(5)]
    await lab.log.write(lambda conn, now: conn.execute(sa.update(schema.audit).values(at=1)))
    await ask(lab, room, talk(6))
    assert [entry.prompt for entry in await room.audit()] == [talk(4), talk(5), talk(6)]


async def test_after_a_restart_it_begins_anew(lab: Lab, room: Room, reopen: Lab) -> None:
    for asking in (lab, reopen):
        for n in (2, 3):
            await ask(asking, room, talk(n))
    assert [entry.prompt for entry in await room.audit()] == [talk(n) for n in (2, 3, 2, 3)]


async def test_messages_are_written_down_as_their_dictionaries(lab: Lab, room: Room) -> None:
    message = await room.post("Hello", audience=["a"])
    rich = dataclasses.replace(message, turns=({"role": "assistant", "n": [1, None]},), id="x")
    await ask(lab, room, [message])
    await ask(lab, room, (message, rich))
    first, second = await room.audit()
    assert first.prompt == [{**message.as_dict(), "audience": ["a"], "turns": []}]
    assert second.prompt is not None and second.prompt[1]["turns"] == list(rich.turns)
    assert Message.as_dict(rich)["at"] == second.prompt[1]["at"]
