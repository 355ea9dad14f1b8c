"""Rounds of cohorts over processes: when they begin, what is called, what the app proposes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from shiny_labchat import Lab, Room
from shiny_labchat.domain.commands import Close, EndPerson, RecordAnswer
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.lab.runtime import running
from shiny_labchat.study.lobby import Lobby
from shiny_labchat.study.person import Participant
from shiny_labchat.study.person import Person as StudyPerson
from tests.contract.test_lobby import STUDY, Called, come, lobby_in, people_in, until


@pytest.fixture(autouse=True)
async def ends(lab: Lab, reopen: Lab) -> AsyncIterator[None]:
    """Lobbies and callbacks are left before their logs are closed."""
    async with running():
        yield


PEOPLE = ("p0", "p1", "p2", "p3")


def rounds_in(lab: Lab, **options: Any) -> Lobby:
    usual = {"cohort": 4, "rounds": 3, "rematch": "strangers", "next_on": "done"}
    return lobby_in(lab, **{**usual, **options})


async def round_begun(lab: Lab, number: int) -> Event:
    """The event of a round, once it has begun and its groups are there."""
    begun = await until(lab, STUDY, "round_begun", number)
    await until(lab, STUDY, "shown", 2 * number)
    return begun[number - 1]


async def record(lab: Lab, kind: str, value: Any, *people: str) -> None:
    for person in people:
        await lab.log.submit_together(RecordAnswer("s", person, kind, value))


async def test_two_processes_begin_each_round_once_and_call_each_function_once_for_each_group(
    lab: Lab, reopen: Lab
) -> None:
    begin, pay = Called(), Called()

    async def pays(room: Room, members: Sequence[Participant]) -> None:
        for member in members:
            await member.pay(f"round {room.round}", member.data["gift"] / 100)

    pay = Called(pays)
    for each in (lab, reopen):
        lobby = rounds_in(each)
        lobby.after_grouping(begin, name="begin")
        lobby.when_all("gift", name="pay")(pay)
        await lobby.describe()
    await come(lobby, *PEOPLE)
    for number in (1, 2, 3):
        await round_begun(lab, number)
        for n, person in enumerate(PEOPLE):
            await record((lab, reopen)[n % 2], "gift", number, person)
        rooms = {(await pay.call())[0] for _ in range(2)}
        assert {(room.round, room.cohort) for room in rooms} == {(number, 1)}
        assert {room.id for room in rooms} == {f"l-c1-r{number}-1", f"l-c1-r{number}-2"}
        assert {(await begin.call())[0].id for _ in range(2)} == {room.id for room in rooms}
        await record(reopen, "done", 1, *PEOPLE)
    await asyncio.wait([lab.log.settled(), reopen.log.settled()])
    assert begin.calls.empty() and pay.calls.empty()
    study = await people_in(lab)
    assert len(study.groups) == 6
    for person in PEOPLE:
        assert study.people[person].paid == {f"round {n}": n for n in (1, 2, 3)}


async def test_what_is_recorded_for_members_of_a_round_is_of_it_though_the_next_one_has_begun(
    lab: Lab,
) -> None:
    lobby, over = rounds_in(lab, next_on=None), Called()
    lobby.when_closed(over, name="over")
    await come(lobby, *PEOPLE)
    await round_begun(lab, 1)
    await record(lab, "gift", 1, *PEOPLE)
    assert await lobby.next_round(1) == 2
    await round_begun(lab, 2)
    await record(lab, "gift", 2, *PEOPLE)
    for _ in range(2):
        room, members = await over.call()
        assert {each.data["gift"] for each in members} == {1} and room.round == 1
        await members[0].record("note", room.id)
        assert [each.data for each in await room.records("note")] == [room.id]
    assert {each.data for each in await lab.room("l-c1-r2-1", study="s").records("gift")} == {2}


async def test_a_function_for_each_group_begins_one_round_and_not_one_each(lab: Lab) -> None:
    lobby = rounds_in(lab, next_on=None, rounds=9)

    async def go_on(room: Room, members: object) -> None:
        assert room.cohort is not None
        await lobby.next_round(room.cohort, after=room.round)

    over = Called(go_on)
    lobby.when_closed(over, name="over")
    await come(lobby, *PEOPLE)
    await round_begun(lab, 1)
    for n in (1, 2):
        await lab.log.submit(LogKey("s", f"l-c1-r1-{n}"), Close())
    await over.call()
    await over.call()
    await round_begun(lab, 2)
    assert (await people_in(lab)).cohorts["l", 1].round == 2
    with pytest.raises(ValueError, match="no cohort 2"):
        await lobby.next_round(2)


async def test_the_app_says_who_is_with_whom_and_is_asked_again_when_it_fails(lab: Lab) -> None:
    asked: list[tuple[int, list[str], Mapping[str, frozenset[str]]]] = []

    def rematch(
        round: int, people: Sequence[StudyPerson], met: Mapping[str, frozenset[str]]
    ) -> list[list[Any]]:
        asked.append((round, [each.id for each in people], met))
        if len(asked) == 2:
            raise ValueError("not now")
        one, two, three, four = sorted(people, key=lambda person: person.id)
        return [[one, two], [three.id, four.id]] if round == 1 else [[one, four], [two, three]]

    lobby = rounds_in(lab, rematch=rematch)
    await come(lobby, *PEOPLE)
    await round_begun(lab, 1)
    await record(lab, "done", 1, *PEOPLE)
    await round_begun(lab, 2)
    study = await people_in(lab)
    groups = [set(group.people) for group in study.groups.values()]
    assert groups == [{"p0", "p1"}, {"p2", "p3"}, {"p0", "p3"}, {"p1", "p2"}]
    assert [number for number, _, _ in asked] == [1, 2, 2]
    assert asked[2][2] == {"p0": {"p1"}, "p1": {"p0"}, "p2": {"p3"}, "p3": {"p2"}}


async def test_nobody_waits_longer_for_who_does_nothing(lab: Lab) -> None:
    lobby = rounds_in(lab, within=2)
    await come(lobby, *PEOPLE)
    await round_begun(lab, 1)
    await record(lab, "done", 1, *PEOPLE[:3])
    begun = await round_begun_with(lab, 2)
    study = await people_in(lab)
    first = min(
        each.at for some in study.recorded.values() for by in some.values() for each in by.values()
    )
    assert 2_000_000 <= begun.at - first < 4_000_000
    ended = study.people["p3"].ended
    assert ended is not None and ended.reason == "idle" and begun.data["people"] != PEOPLE


async def round_begun_with(lab: Lab, number: int) -> Event:
    return (await until(lab, STUDY, "round_begun", number))[number - 1]


async def test_the_last_one_of_a_cohort_is_led_out(lab: Lab) -> None:
    lobby = rounds_in(lab)
    await come(lobby, *PEOPLE)
    await round_begun(lab, 1)
    for person in PEOPLE[:3]:
        await lab.log.submit_together(EndPerson("s", person, "withdrew"))
    [*_, last] = await until(lab, STUDY, "ended", 4)
    assert (last.member, last.data["reason"]) == ("p3", "group_dissolved")
