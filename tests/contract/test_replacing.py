"""Bots that go on in the places of people who have gone, and those that fill empty places."""

from __future__ import annotations

import csv
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shiny_labchat import Bot, Lab, Refused, Room, Rules
from shiny_labchat.domain.commands import Arrive, Consent, Join, Replace, Say
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.state import RoomState, fold_all
from shiny_labchat.lab.runtime import Runtime, running
from shiny_labchat.store import find_room, load_state
from shiny_labchat.study.lobby import Lobby
from shiny_labchat.study.study import Study
from tests.contract.test_clocks import Page
from tests.contract.test_clocks import until as once
from tests.contract.test_lobby import come, events_of, hear, kinds_of, people_in, until

ROOM = LogKey("s", "l-1")
RANDOM = "b"
"""By this, places are empty for 3.4 and for 2.1 seconds."""


@pytest.fixture(autouse=True)
async def ends(lab: Lab, reopen: Lab) -> AsyncIterator[None]:
    """Lobbies and callbacks are left before their logs are closed."""
    async with running():
        yield


def bot(id: str = "stand-in") -> Bot:
    """It says at once how many messages it has read."""
    return Bot(id, respond=lambda read: f"I have read {len(read)}.", reading=None, typing=None)


def lobby_in(lab: Lab, **options: Any) -> Lobby:
    study = Study("s", lab=lab, seed=7)
    study.consent("You will talk.", version="1", replacement=True)
    study.debrief("It was about programs.")
    rules = Rules(on_gone=bot(), grace=10, rate=None)
    options = {"group_size": 2, "settle": 0, "ready": None, "rules": rules, **options}
    return Lobby("l", study=study, **options)


async def grouped(lobby: Lobby, *people: str) -> Room:
    """People have a group, and are shown their room."""
    for person in people:
        await lobby.study.submit(Arrive("s", person))
        await lobby.study.submit(Consent("s", person, "1"))
    await come(lobby, *people)
    await until(lobby.lab, ROOM, "shown")
    live = await Runtime.of(lobby.lab.log).live.open(ROOM)
    live.signs.come(Page("bob"))  # or he would be gone, too, after ten seconds
    return lobby.lab.room("l-1", study="s")


async def lose(lab: Lab, *gone: str) -> Membership:
    """A process has found that they have gone; the place of the last of them."""
    await lab.log.submit_together(Replace("s", "l-1", gone, RANDOM))
    return (await lab.room("l-1", study="s").state()).bots()[-1]


async def says(room: Room, person: str, text: str) -> None:
    await room.submit(Say(person, text, secrets.token_hex(4), "page"))


async def test_two_processes_have_a_place_taken_once_and_the_bot_speaks_there(
    lab: Lab, reopen: Lab
) -> None:
    lobbies = [lobby_in(each) for each in (lab, reopen)]
    for lobby in lobbies:
        await lobby.describe()
    room = await grouped(lobbies[0], "ann", "bob")
    name = (await room.state()).memberships["ann"].pseudonym
    opened = [await Runtime.of(each.log).live.open(ROOM) for each in (lab, reopen)]
    for each in opened:
        each.signs.come(Page("bob"))
    state = await once(room, lambda state: bool(state.bots()))
    assert await once(room, lambda state: state.seq >= 1)
    [place] = state.bots()
    assert (place.pseudonym, place.replaces) == (name, "ann") and state.membership("ann") is None
    ended = (await people_in(lab)).people["ann"].ended
    assert ended is not None and ended.reason == "replaced"
    await says(room, "bob", "Are you back?")
    [_, answer] = await until(lab, ROOM, "message", 2)
    assert answer.member == "stand-in" and answer.at >= place.returns
    shown = {key: answer.data.get(key) for key in ("h", "name", "role")}
    assert shown == {"h": place.handle, "name": name, "role": "user"}
    assert len(await kinds_of(lab, ROOM, "removed")) == 1, "it was decided once"
    for each in opened:
        each.leave()


async def test_a_groups_rules_change_and_the_bot_of_its_lobby_takes_places_as_before(
    lab: Lab,
) -> None:
    room = await grouped(lobby_in(lab), "ann", "bob")
    rules = (await room.state()).rules
    await room.configure(rules=replace(rules, max_length=20))
    with pytest.raises(ValueError, match="give these rules to a Lobby"):
        await room.configure(rules=replace(rules, on_gone="bot:other"))
    assert (await room.state()).rules == replace(rules, max_length=20)
    assert (await lose(lab, "ann")).replaces == "ann"


async def test_who_was_replaced_comes_in_no_more(lab: Lab) -> None:
    room = await grouped(lobby_in(lab), "ann", "bob")
    await lose(lab, "ann")
    with pytest.raises(Refused, match="removed"):
        await room.submit(Join("ann", "h", by_page=True))
    with pytest.raises(Refused, match="removed"):
        await says(room, "ann", "I am back.")


async def test_the_room_is_read_as_it_was_written(lab: Lab) -> None:
    room = await grouped(lobby_in(lab, group_size=3), "ann", "bob", "carl")
    await says(room, "ann", "hello")
    await lose(lab, "ann")
    await lose(lab, "carl")

    def read(conn: sa.Connection) -> RoomState:
        found = find_room(conn, ROOM)
        assert found is not None
        return load_state(conn, *found)

    loaded, folded = await lab.log.read(read), fold_all(RoomState(), await events_of(lab, ROOM))
    assert _without_allowances(loaded) == _without_allowances(folded)
    assert [each.member for each in loaded.bots()] == ["stand-in", "stand-in:2"]


def _without_allowances(state: RoomState) -> tuple[Any, ...]:
    full = [each._replace(tokens=0, spoke=0) for each in state.memberships.values()]
    return full, state._replace(memberships=RoomState().memberships)


async def test_each_place_has_a_bot_of_its_own(lab: Lab) -> None:
    room = await grouped(lobby_in(lab, group_size=3), "ann", "bob", "carl")
    places = [await lose(lab, person) for person in ("ann", "carl")]
    await says(room, "bob", "hello")
    said = await until(lab, ROOM, "message", 3)
    assert {each.member for each in said} >= {"bob", "stand-in", "stand-in:2"}
    for place in places:
        own = [each.at for each in said if each.member == place.member]
        assert min(own, default=place.returns) >= place.returns


async def test_a_bot_hears_and_is_heard_as_who_it_goes_on_for(lab: Lab) -> None:
    room = await grouped(lobby_in(lab, group_size=3), "ann", "bob", "carl")
    live = Runtime.of(lab.log).live.opened(ROOM)
    assert live is not None
    live.signs.come(Page("carl"))
    await room.configure(network={"ann": ["bob"], "bob": ["ann", "carl"], "carl": ["bob"]})
    await lose(lab, "ann")
    await says(room, "carl", "for Bob")
    await says(room, "bob", "for both")
    *_, answer = await until(lab, ROOM, "message", 3)
    assert answer.member == "stand-in" and {*answer.data["audience"]} == {"bob", "stand-in"}
    assert answer.data["parts"] == [["text", "I have read 1."]]
    assert [each.bot for each in await room.audit()] == ["stand-in"]


async def test_a_bot_that_is_asked_writes_nothing_before_it_is_seen_in_its_place(lab: Lab) -> None:
    room = await grouped(lobby_in(lab), "ann", "bob")
    await says(room, "ann", "hello")
    place = await lose(lab, "ann")
    said = await room.ask(place.member)
    assert said is not None and said.at.timestamp() * 1e6 >= place.returns
    assert await room.shares() == {"bob": 0.0, place.member: 1.0}


async def test_a_withdrawal_reaches_what_was_said_under_their_name(lab: Lab) -> None:
    room = await grouped(lobby_in(lab), "ann", "bob")
    name = (await room.state()).memberships["ann"].pseudonym
    await says(room, "ann", "my own words")
    place = await lose(lab, "ann")
    await says(room, "bob", "hello")
    await room.post("words of a program", author=place.member)
    done = await lab.withdraw("ann")
    events = json.dumps([each.data for each in await events_of(lab, ROOM)])
    for gone in ("my own words", "words of a program", name):
        assert gone not in events
    assert "hello" in events
    state = await room.state()
    assert state.memberships[place.member].is_removed and not state.is_open
    assert state.memberships[place.member].replaces == done.id
    people = (await people_in(lab)).people
    assert people["bob"].ended is not None and people["bob"].ended.reason == "group_dissolved"


async def test_an_export_says_in_whose_place_a_bot_was(lab: Lab, tmp_path: Path) -> None:
    await grouped(lobby_in(lab), "ann", "bob")
    await lose(lab, "ann")
    await lab.export(tmp_path / "out", study="s")
    with (tmp_path / "out" / "members.csv").open(newline="") as file:
        rows = {row["member"]: row for row in csv.DictReader(file)}
    assert rows["stand-in"]["replaces"] == "ann" and rows["stand-in"]["kind_true"] == "bot"
    assert rows["stand-in"]["kind_shown"] == "human" and rows["ann"]["kind_true"] == "human"
    assert rows["ann"]["end"] == "replaced" and rows["ann"]["replaced_at"]
    assert rows["ann"]["pseudonym"] == rows["stand-in"]["pseudonym"]
    assert not rows["bob"]["replaced_at"] and not rows["bob"]["replaces"]


async def test_nobody_comes_while_the_consent_does_not_say_it(lab: Lab) -> None:
    study = Study("s", lab=lab)
    study.consent("You will talk.", version="1")
    study.debrief("It was about programs.")
    Lobby("l", study=study, rules=Rules(on_gone=bot()))
    with pytest.raises(Refused, match="no_replacement"):
        await study.submit(Arrive("s", "ann"))


async def test_bots_fill_places_of_the_groups_that_lack_people_only(lab: Lab) -> None:
    lobby = lobby_in(
        lab,
        group_size=3,
        rules=Rules(rate=None),
        max_wait=5,
        on_timeout=["stand_ins"],
        stand_ins=[bot("x"), bot("y")],
    )
    room = await grouped(lobby, "ann")
    kinds = [(each.kind, each.member) for each in await events_of(lab, ROOM)]
    before = {who for kind, who in kinds[: kinds.index(("shown", None))] if kind == "joined"}
    assert before == {"ann", "x", "y"}
    await says(room, "ann", "hello")
    assert {each.member for each in await until(lab, ROOM, "message", 3)} == {"ann", "x", "y"}
    people = ("bob", "carl", "dora")
    for person in people:
        await lobby.study.submit(Arrive("s", person))
        await lobby.study.submit(Consent("s", person, "1"))
    await come(lobby, *people)
    await hear(lab, *people)
    await until(lab, LogKey("s", "l-2"), "shown")
    other = await lab.room("l-2", study="s").state()
    assert {each.member for each in other.members()} == set(people)


async def test_nobody_comes_who_would_not_be_told_of_a_bot_in_the_rooms(lab: Lab) -> None:
    """It was added for rooms by their ids, and no lobby knows it."""
    lab.add_bot(bot("mole"), rooms="l-*")
    study = Study("s", lab=lab)
    with pytest.raises(Refused, match="no_debrief"):
        await study.arrive({}, "key of a browser")
    study.debrief("It was about programs.")
    await study.arrive({}, "key of a browser")
