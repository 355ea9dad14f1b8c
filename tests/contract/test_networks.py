"""Who hears whom is on record, and is the same after a restart; what bots are told follows it."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from shiny_labchat import Bot, Lab, Message, Room
from shiny_labchat.errors import Refused
from shiny_labchat.lab.runtime import Runtime, running
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.live.window import older

from .test_lobby import Called, come, lobby_in, until

AT_ONCE: dict[str, Any] = {"reading": None, "typing": None, "max_in_a_row": None}


@pytest.fixture(autouse=True)
async def ends(lab: Lab, reopen: Lab) -> AsyncIterator[None]:
    async with running():
        yield


async def ring(lab: Lab, members: str = "abcd", network: Any = "ring") -> Room:
    """A room of some people with a network."""
    room = await lab.create_room("n", study="s", network=network)
    for member in members:
        await room.add_member(member)
    return room


async def says(room: Room, member: str, text: str = "hi") -> list[str] | None:
    """Those who hear what somebody says."""
    audience = (await room.post(text, author=member)).audience
    return None if audience is None else list(audience)


async def test_a_network_and_its_changes_are_the_same_after_a_restart(
    lab: Lab, reopen: Lab
) -> None:
    room = await ring(lab)
    await room.connect("a", "c")
    await room.disconnect({"a": ["b"], "b": ["a"]})
    again = reopen.room("n", study="s", network="ring")
    for each in (room, again):
        assert await says(each, "a") == ["a", "c", "d"]
        assert await says(each, "b") == ["b", "c"]
    await again.configure(network="full")
    assert await says(room, "a") is None
    with pytest.raises(Refused, match="not_member"):
        await room.connect("a", "nobody")
    with pytest.raises(TypeError, match="give two members"):
        await room.connect("a")


async def test_a_message_keeps_who_has_heard_it(lab: Lab) -> None:
    room = await ring(lab, network="none")
    await room.connect("a", "b")
    await room.post("psst", author="a", audience=["d"])
    await says(room, "a", "first")
    await room.disconnect("a", "b")
    await says(room, "a", "second")
    told = [(m.content, m.audience, m.by_network) for m in await room.messages()]
    assert told == [
        ("psst", ("d",), False),
        ("first", ("a", "b"), True),
        ("second", ("a",), True),
    ]


async def page_of(live: LiveRoom, room: Room, member: str) -> list[str]:
    """What somebody reads on the page of older messages, from the log."""
    viewer = live.state.memberships[member]
    page = await older(room.log, live._number, live.state, live.state.seq + 1, viewer)
    return [json.loads(item)["text"] for item in page.items]


async def test_older_pages_have_what_somebody_has_heard(lab: Lab) -> None:
    room = await ring(lab)
    await room.add_member("boss", role="experimenter")
    for member in "abcd":
        await says(room, member, f"{member}: hi")
    await room.post("for a alone", audience=["a"])
    await room.configure(network="full")
    live = await Runtime.of(lab.log).live.open(room.key)
    assert await page_of(live, room, "a") == ["a: hi", "b: hi", "d: hi", "for a alone"]
    assert await page_of(live, room, "c") == ["b: hi", "c: hi", "d: hi"]
    assert await page_of(live, room, "boss") == ["a: hi", "b: hi", "c: hi", "d: hi"]
    live.leave()


# ── groups ──


async def test_the_groups_of_a_lobby_have_its_network(lab: Lab) -> None:
    begin = Called()
    lobby = lobby_in(lab, group_size=4, network="ring")
    lobby.after_grouping(begin, name="begin")
    await come(lobby, "ann", "bob", "carl", "dora")
    room, members = await begin.call()
    ids = [member.id for member in members]
    for n, id in enumerate(ids):
        heard = await says(room, id)
        assert heard is not None and set(heard) == {ids[n - 1], id, ids[(n + 1) % 4]}
    await until(lab, room.key, "shown")


async def test_parts_and_bots_are_named_in_the_network_of_a_lobby(lab: Lab) -> None:
    helper = Bot("helper", respond=lambda messages: None, disclose=True)
    begin = Called()
    network = {"buyer": ["seller", "helper"], "helper": ["buyer"], "seller": ["buyer"]}
    lobby = lobby_in(lab, parts={"buyer": 1, "seller": 1}, network=network, bots=[helper])
    lobby.after_grouping(begin, name="begin")
    await come(lobby, "ann", "bob")
    room, members = await begin.call()
    by_part = {member.part: member.id for member in members}
    heard = await says(room, by_part["buyer"])
    assert heard is not None and set(heard) == {*by_part.values(), "helper"}
    assert set(await says(room, by_part["seller"]) or ()) == {*by_part.values()}
    assert set(await says(room, "helper") or ()) == {by_part["buyer"], "helper"}


# ── bots ──


class Asked:
    """A bot's function that keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[list[str]] = []

    def __call__(self, messages: Sequence[Message]) -> str:
        self.told.append([message.content for message in messages])
        return f"reply {len(self.told)}"


async def with_bot(room: Room, **options: Any) -> tuple[Bot, Asked]:
    asked = Asked()
    bot = Bot("bot", respond=asked, disclose=True, **{**AT_ONCE, **options})
    await bot.enter(room)
    return bot, asked


async def reacts(bot: Bot, room: Room, message: Message) -> Message | None:
    """The reply of a bot to a message."""
    before = len(await room.messages())
    await bot.react(room, message)
    said = await room.messages()
    return said[-1] if len(said) > before else None


async def test_a_bot_answers_those_who_have_heard_the_question_with_what_these_have_heard(
    lab: Lab,
) -> None:
    room = await ring(lab, "ab", "none")
    bot, asked = await with_bot(room)
    await room.connect({"a": ["bot"], "b": ["bot"], "bot": ["a", "b"]})
    await room.announce("welcome")
    secret = await room.post("a's secret", author="a")
    reply = await reacts(bot, room, secret)
    assert reply is not None and reply.audience == ("a", "bot") and reply.by_network
    other = await reacts(bot, room, await room.post("b's question", author="b"))
    assert other is not None and other.audience == ("b", "bot")
    assert asked.told == [["welcome", "a's secret"], ["welcome", "b's question"]]
    again = await reacts(bot, room, await room.post("a again", author="a"))
    assert again is not None
    assert asked.told[-1] == ["welcome", "a's secret", "reply 1", "a again"]


async def test_a_bot_hears_by_its_edges_and_says_nothing_that_nobody_would_hear(
    lab: Lab,
) -> None:
    room = await ring(lab, "ab", "none")
    bot, asked = await with_bot(room)
    await room.connect({"a": ["bot"]})
    assert await reacts(bot, room, await room.post("not heard", author="b")) is None
    assert await reacts(bot, room, await room.post("heard", author="a")) is None
    [entry] = await room.audit()
    assert (entry.outcome, entry.reason) == ("silent", "unheard") and asked.told == []


async def test_who_is_connected_while_a_bot_composes_does_not_hear_its_reply(lab: Lab) -> None:
    room = await ring(lab, "ab", "none")
    told: list[list[str]] = []

    async def respond(messages: Sequence[Message]) -> str:
        told.append([message.content for message in messages])
        await room.configure(network="full")
        return "as you said: a's secret"

    bot = Bot("bot", respond=respond, disclose=True, **AT_ONCE)
    await bot.enter(room)
    await room.connect({"a": ["bot"], "bot": ["a"]})
    reply = await reacts(bot, room, await room.post("a's secret", author="a"))
    assert reply is not None and reply.audience == ("a", "bot")
    assert told == [["a's secret"]]


async def test_a_limit_counts_what_a_bot_has_said_in_a_network(lab: Lab) -> None:
    room = await ring(lab, "ab", "none")
    bot, _ = await with_bot(room, max_messages=1)
    await room.connect({"a": ["bot"], "bot": ["a"]})
    for n in range(2):
        await bot.react(room, await room.post(f"{n}", author="a"))
    assert [(e.outcome, e.reason) for e in await room.audit()] == [
        ("posted", None),
        ("silent", "max_messages"),
    ]


# ── data ──


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def test_an_export_says_who_has_heard_each_message(lab: Lab, tmp_path: Path) -> None:
    room = await ring(lab)
    await says(room, "a", "in the ring")
    await room.post("psst", author="a", audience=["b"])
    await room.announce("to all")
    await room.connect("a", "c")
    await lab.export(tmp_path / "data", study="s")
    said = {each["text"]: each for each in rows(tmp_path / "data", "messages")}
    assert json.loads(said["in the ring"]["heard_by"]) == ["a", "b", "d"]
    assert said["in the ring"]["audience"] == said["to all"]["heard_by"] == ""
    assert json.loads(said["psst"]["audience"]) == ["b"]
    assert json.loads(said["psst"]["heard_by"]) == ["a", "b"]
    connected = [each for each in rows(tmp_path / "data", "events") if each["kind"] == "connected"]
    assert [json.loads(each["data"]) for each in connected] == [{"edges": [["a", "c"]]}]


async def test_only_who_has_heard_somebody_is_told_that_they_have_withdrawn(lab: Lab) -> None:
    room = await ring(lab)
    await says(room, "a", "my words")
    live = await Runtime.of(lab.log).live.open(room.key)
    await lab.withdraw("a", study="s")
    withdrawn = (await room.state()).seq
    events = [event for event, _ in live._window.after(0) if event.kind == "withdrawn"]
    told = [each.member for each in live.state.members() for event in events if each.may_see(event)]
    assert live.state.seq == withdrawn and told == ["b", "d"]
    live.leave()
