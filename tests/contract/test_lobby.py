"""Lobbies over processes: who is grouped, what is called for a group, and what is shown when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from anyio.lowlevel import checkpoint

from shiny_labchat import Bot, Lab, Room
from shiny_labchat.bots import At
from shiny_labchat.domain.commands import Arrive, Barrier, Close, EndPerson, Ready, RecordAnswer
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.presence import Signs
from shiny_labchat.domain.study import StudyState
from shiny_labchat.lab.runtime import Runtime, running
from shiny_labchat.store import Person, events_after, find_room, note_seen
from shiny_labchat.study.lobby import Lobby
from shiny_labchat.study.person import Participant
from shiny_labchat.study.person import Person as StudyPerson
from shiny_labchat.study.study import Study

from .failing import failing_to_store

STUDY, LOBBY = LogKey("s", "s", "study"), LogKey("s", "l", "lobby")
PATIENCE = 60
"""How long something may take on a busy machine, in seconds."""


@pytest.fixture(autouse=True)
async def ends(lab: Lab, reopen: Lab) -> AsyncIterator[None]:
    """Lobbies and callbacks are left before their logs are closed."""
    async with running():
        yield


class Called:
    """
    A function that keeps what it is called with.

    Parameters
    ----------
    then
        What it does besides.
    """

    def __init__(self, then: Callable[..., Awaitable[object]] | None = None) -> None:
        self.calls: asyncio.Queue[tuple[Any, Any]] = asyncio.Queue()
        self._then = then

    async def __call__(self, first: Any, second: Any) -> None:
        self.calls.put_nowait((first, second))
        if self._then is not None:
            await self._then(first, second)

    async def call(self) -> tuple[Any, Any]:
        async with asyncio.timeout(PATIENCE):
            return await self.calls.get()


def lobby_in(lab: Lab, **options: Any) -> Lobby:
    """A lobby whose people are not asked anything, in a study."""
    options = {"settle": 0, "ready": None, "group_size": 2, **options}
    return Lobby("l", study=Study("s", lab=lab, seed=7), **options)


async def come(lobby: Lobby, *people: str) -> None:
    """People come to a lobby, and their pages answer."""
    for person in people:
        await lobby.study.submit(Arrive("s", person))
        await lobby.enter(person)
    await hear(lobby.lab, *people)


async def hear(lab: Lab, *people: str) -> None:
    """A process hears people's pages now."""
    signs = {Person("s", person): Signs(-1, -1, -1) for person in people}
    await lab.log.write(lambda conn, now: note_seen(conn, signs))


async def events_of(lab: Lab, key: LogKey) -> list[Event]:
    def read(conn: sa.Connection) -> list[Event]:
        found = find_room(conn, key)
        return [] if found is None else events_after(conn, found[0], 0)

    return await lab.log.read(read)


async def kinds_of(lab: Lab, key: LogKey, *kinds: str) -> list[Event]:
    return [event for event in await events_of(lab, key) if event.kind in kinds]


async def until(lab: Lab, key: LogKey, kind: str, number: int = 1) -> list[Event]:
    """The events of a kind in a log, once there are so many."""
    async with asyncio.timeout(PATIENCE):
        while len(found := await kinds_of(lab, key, kind)) < number:
            await checkpoint()
            await asyncio.wait([lab.log.settled()])
    return found


async def people_in(lab: Lab) -> StudyState:
    return cast(StudyState, await Runtime.of(lab.log).live.logs.read(STUDY))


async def lobby_state(lab: Lab) -> LobbyState:
    return cast(LobbyState, await Runtime.of(lab.log).live.logs.read(LOBBY))


# ── groups ──


async def test_two_who_wait_are_prepared_a_room_which_they_see_then(lab: Lab) -> None:
    lobby = lobby_in(lab, conditions=["calm", "heated"], title="Your group")

    async def welcome(room: Room, members: Sequence[Participant]) -> None:
        await room.post(f"Hello {members[0].pseudonym}. It is {room.condition}.")

    begin = Called(welcome)
    lobby.after_grouping(begin, name="begin")
    await come(lobby, "ann", "bob")
    room, members = await begin.call()
    await until(lab, room.key, "shown")
    events = await events_of(lab, room.key)
    assert [event.kind for event in events][-3:] == ["message", "prepared", "shown"]
    assert events[-1].data == {"how": "returned"}
    study = await people_in(lab)
    assert [each.id for each in members] == list(study.groups["l-1"].people)
    assert members[0].condition == room.condition == study.groups["l-1"].condition
    [message] = await room.messages()
    assert message.content == f"Hello {members[0].pseudonym}. It is {room.condition}."
    assert study.groups["l-1"].is_shown and begin.calls.empty()


async def test_a_room_that_nothing_prepares_is_shown_at_once(lab: Lab) -> None:
    lobby = lobby_in(lab, rooms="pair-{n}")
    await come(lobby, "ann", "bob")
    [shown] = await until(lab, LogKey("s", "pair-1"), "shown")
    assert shown.data == {"how": "none"}


async def test_two_processes_form_each_group_once_and_call_each_function_once(
    lab: Lab, reopen: Lab
) -> None:
    """Each process hears of half of the people only."""
    begin, over, left = Called(), Called(), Called()
    lobbies = [lobby_in(each) for each in (lab, reopen)]
    for lobby in lobbies:
        lobby.after_grouping(begin, name="begin")
        lobby.when_closed(over, name="over")
        lobby.on_left(left, name="left")
        await lobby.describe()
    people = [f"p{n}" for n in range(6)]
    for n, person in enumerate(people):
        await come(lobbies[n % 2], person)
    rooms = {(await begin.call())[0].id for _ in range(3)}
    assert rooms == {"l-1", "l-2", "l-3"}
    study = await people_in(reopen)
    grouped = [person for group in study.groups.values() for person in group.people]
    assert sorted(grouped) == people
    for room in sorted(rooms):
        await reopen.log.submit(LogKey("s", room), Close())
        closed, members = await over.call()
        assert closed.id == room
        assert [each.id for each in members] == list(study.groups[room].people)
    await lab.log.submit_together(EndPerson("s", "p0", "withdrew"))
    person, reason = await left.call()
    assert (person.id, person.ended, reason) == ("p0", "withdrew", "withdrew")
    await asyncio.wait([lab.log.settled(), reopen.log.settled()])
    assert begin.calls.empty() and over.calls.empty() and left.calls.empty()


async def test_a_group_is_formed_whole_or_not_at_all(lab: Lab, url: str) -> None:
    """A server whose database fails in the middle of a group goes on with all of them waiting."""
    lobby = lobby_in(lab)
    await lobby.describe()
    with failing_to_store(url, "grouped"):
        await come(lobby, "ann", "bob")
        for _ in range(20):
            await asyncio.wait([lab.log.settled()])
        assert (await lobby_state(lab)).queue == ("ann", "bob")
        assert await events_of(lab, LogKey("s", "l-1")) == []
    await hear(lab, "ann", "bob")
    await until(lab, LogKey("s", "l-1"), "grouped")
    assert (await people_in(lab)).numbers == {"l": 1}


async def test_what_a_process_leaves_undone_another_one_does(lab: Lab, reopen: Lab) -> None:
    """The second one calls the function again, and what it posts is there once."""
    entered = asyncio.Event()

    async def hang(room: Room, members: object) -> None:
        await room.post("Welcome.")
        entered.set()
        await asyncio.Event().wait()

    async def finish(room: Room, members: object) -> None:
        await room.post("Welcome.")
        await room.post("Begin.")

    first = lobby_in(lab)
    first.after_grouping(hang, name="begin")
    await come(first, "ann", "bob")
    await asyncio.wait_for(entered.wait(), PATIENCE)
    runtime = Runtime.of(lab.log)
    assert runtime.scheduler is not None
    await runtime.drivers[LOBBY].stop(5)
    await runtime.scheduler.stop()
    second = lobby_in(reopen)
    second.after_grouping(finish, name="begin")
    room = reopen.room("l-1", study="s")
    await until(reopen, room.key, "shown")
    await until(reopen, room.key, "prepared")
    assert [each.content for each in await room.messages()] == ["Welcome.", "Begin."]
    await come(second, "carl", "dora")
    await until(reopen, LogKey("s", "l-2"), "shown")


async def test_a_room_is_shown_though_its_function_fails(lab: Lab) -> None:
    async def fail(room: Room, members: object) -> None:
        raise ValueError("no")

    lobby = lobby_in(lab)
    lobby.after_grouping(fail, name="begin")
    await come(lobby, "ann", "bob")
    [shown] = await until(lab, LogKey("s", "l-1"), "shown")
    assert shown.data["how"] in ("failed", "late"), "late on a machine that is very busy"


async def test_who_is_asked_is_grouped_when_all_have_answered(lab: Lab, reopen: Lab) -> None:
    """The condition is proposed by the app, once it is known whom it is for."""
    asked: list[tuple[list[str], list[tuple[str, int]]]] = []

    def balance(people: Sequence[StudyPerson], counts: list[tuple[str, int]]) -> str:
        asked.append(([each.id for each in people], counts))
        return "b"

    lobby = lobby_in(lab, ready=50, conditions=["a", "b"], balance=balance)
    await come(lobby, "ann", "bob")
    [matched] = await until(lab, LOBBY, "matched")
    assert asked == []
    for person in ("ann", "bob"):
        number = matched.data["number"]
        await reopen.log.submit_together(Ready("s", "l", person, number, None, "random"))
    [grouped] = await until(lab, LOBBY, "grouped")
    assert grouped.data["condition"] == "b"
    assert asked[0][1] == [("a", 0), ("b", 0)] and set(asked[0][0]) == {"ann", "bob"}


async def test_a_function_for_who_leaves_that_fails_is_passed_over_and_the_next_one_told(
    lab: Lab,
) -> None:
    told = asyncio.Event()

    async def left(person: StudyPerson, reason: str) -> None:
        if person.id == "ann":
            raise ValueError("not ann")
        told.set()

    lobby = lobby_in(lab)
    lobby.on_left(left, name="left")
    await come(lobby, "ann")
    for person in ("ann", "bob"):
        await come(lobby, person)
        await lab.log.submit_together(EndPerson("s", person, "withdrew"))
    await asyncio.wait_for(told.wait(), PATIENCE)
    [passed] = await kinds_of(lab, LOBBY, "passed_over")
    assert passed.data["error"] == "ValueError: not ann"


# ── waiting for each other ──


async def test_a_function_is_called_once_all_have_recorded_something(lab: Lab, reopen: Lab) -> None:
    pay = Called()
    lobbies = [lobby_in(each) for each in (lab, reopen)]
    for lobby in lobbies:
        lobby.when_all("choice", name="pay")(pay)
    await come(lobbies[0], "ann", "bob")
    await until(lab, LogKey("s", "l-1"), "shown")
    await lab.log.submit_together(RecordAnswer("s", "ann", "choice", {"choice": "X"}))
    await reopen.log.submit_together(RecordAnswer("s", "bob", "choice", {"choice": "Y"}))
    room, members = await pay.call()
    assert {each.id: each.data["choice"]["choice"] for each in members} == {"ann": "X", "bob": "Y"}
    assert {each.data["choice"] for each in await room.records("choice")} == {"X", "Y"}
    await members[0].pay("group", 2.00)
    assert (await people_in(lab)).people[members[0].id].paid == {"group": 200}
    await asyncio.wait([lab.log.settled(), reopen.log.settled()])
    assert pay.calls.empty()


async def test_pages_do_not_wait_for_who_is_late(lab: Lab) -> None:
    """Nobody does anything when the time is over; the lobby does."""
    pay = Called()
    lobby = lobby_in(lab)
    lobby.when_all("choice", name="pay")(pay)
    await come(lobby, "ann", "bob")
    await until(lab, LogKey("s", "l-1"), "shown")
    await lab.log.submit_together(RecordAnswer("s", "ann", "choice", 1))
    await lab.log.submit_together(Barrier("s", "l-1", "choice", 300_000))
    _, members = await pay.call()
    assert [each.id for each in members] == ["ann"]
    assert (await people_in(lab)).barriers["l-1", "choice"].met == ("ann",)


async def test_who_has_left_is_not_waited_for_and_not_given(lab: Lab) -> None:
    pay, over = Called(), Called()
    lobby = lobby_in(lab, group_size=3)
    lobby.when_all("choice", name="pay")(pay)
    lobby.when_closed(over, name="over")
    await come(lobby, "ann", "bob", "carl")
    await until(lab, LogKey("s", "l-1"), "shown")
    for person in ("ann", "bob"):
        await lab.log.submit_together(RecordAnswer("s", person, "choice", 1))
    await lab.log.submit_together(EndPerson("s", "ann", "complete"))
    await lab.log.submit_together(EndPerson("s", "carl", "withdrew"))
    _, members = await pay.call()
    assert {each.id for each in members} == {"ann", "bob"}
    await lab.log.submit(LogKey("s", "l-1"), Close())
    assert {each.id for each in (await over.call())[1]} == {"ann", "bob"}


# ── what the app proposes ──


async def test_the_app_is_asked_anew_when_what_it_has_proposed_does_not_hold(lab: Lab) -> None:
    """Somebody leaves while the app's function thinks of groups."""
    seen: list[list[str]] = []

    async def pick(waiting: Sequence[StudyPerson]) -> list[list[StudyPerson]]:
        seen.append([each.id for each in waiting])
        if len(seen) == 1:
            await lab.log.submit_together(EndPerson("s", "ann", "withdrew"))
        return [list(waiting[:2])]

    lobby = lobby_in(lab, pick=pick, opens="2020-01-01T00:00+00:00")
    for person in ("ann", "bob", "carl"):
        await lobby.study.submit(Arrive("s", person))
        await lobby.enter(person)
    await hear(lab, "ann", "bob", "carl")
    [grouped] = await until(lab, LOBBY, "grouped")
    assert set(grouped.data["people"]) == {"bob", "carl"}
    assert "ann" in seen[0] and seen[-1] == ["bob", "carl"]


async def test_a_function_that_proposes_nonsense_groups_nobody_and_is_reported(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    asked = asyncio.Event()

    def pick(waiting: Sequence[StudyPerson]) -> list[list[str]]:
        loop.call_soon_threadsafe(asked.set)
        return [["nobody", waiting[0].id]]

    loop = asyncio.get_running_loop()
    lobby = lobby_in(lab, pick=pick, max_wait=3)
    await come(lobby, "ann", "bob")
    await asyncio.wait_for(asked.wait(), PATIENCE)
    await until(lab, STUDY, "ended", 2)
    assert await kinds_of(lab, LOBBY, "grouped") == []
    assert "Only those who wait can be grouped" in caplog.text


@pytest.mark.parametrize("given", ["balance", "conditions"])
async def test_a_function_that_fails_for_a_group_stops_neither_others_nor_the_clock(
    lab: Lab, caplog: pytest.LogCaptureFixture, given: str, sqlite_file: Path
) -> None:
    def condition(group: Sequence[StudyPerson], counts: object = None) -> str:
        if "ann" in {person.id for person in group}:
            raise ValueError("not for ann")
        return "a"

    conditions = ["a", "b"] if given == "balance" else condition
    options = {"balance": condition} if given == "balance" else {}
    lobby = lobby_in(lab, conditions=conditions, max_wait=4, **options)
    await come(lobby, "ann", "bob", "carl", "dora")
    [grouped] = await until(lab, STUDY, "grouped")
    assert set(grouped.data["people"]) == {"carl", "dora"}
    ended = await until(lab, STUDY, "ended", 2)
    assert {event.member for event in ended} == {"ann", "bob"}
    assert "not for ann" in caplog.text


async def test_what_the_app_says_of_who_has_waited_long_enough_is_done(lab: Lab) -> None:
    async def late(person: StudyPerson) -> str | None:
        return "screened_out" if person.id == "ann" else None

    lobby = lobby_in(lab, max_wait=0.5, on_timeout=[late, "leave"], group_size=5)
    await come(lobby, "ann", "bob")
    await until(lab, STUDY, "ended", 2)
    people = (await people_in(lab)).people
    reasons = [person.ended and person.ended.reason for person in people.values()]
    assert reasons == ["screened_out", "lobby_timeout"]


async def test_code_starts_groups_of_all_who_are_here(lab: Lab, reopen: Lab) -> None:
    lobby, other = (lobby_in(each, start="code", group_size=(2, 3, 4)) for each in (lab, reopen))
    assert await lobby.start() == 0
    await come(lobby, "a", "b", "c", "d")
    await come(other, "e", "f", "g")
    assert await cast("Awaitable[int]", lobby.waiting()) == 7
    await hear(lab, *"abcdefg")  # it may have taken long until all have come
    assert await other.start() == 2
    sizes = [len(group.people) for group in (await people_in(lab)).groups.values()]
    assert sorted(sizes) == [3, 4] and await cast("Awaitable[int]", lobby.waiting()) == 0


# ── bots ──


async def test_bots_are_members_before_anybody_sees_the_room(lab: Lab) -> None:
    def echo(messages: Sequence[Any]) -> str:
        return messages[-1].content.upper()

    helper = Bot("helper", respond=echo, disclose=True, reading=None, typing=None)
    mole = Bot("mole", respond=echo, reading=None, typing=None)
    lobby = lobby_in(
        lab,
        conditions=["a", "b"],
        balance="rotate",
        bots={"a": [helper], "b": [helper, mole]},
    )
    study = lobby.study
    study.debrief("One of you was a machine.")
    await come(lobby, "ann", "bob", "carl", "dora")
    for room, bots in (("l-1", {"helper"}), ("l-2", {"helper", "mole"})):
        key = LogKey("s", room)
        await until(lab, key, "shown")
        kinds = [(event.kind, event.member) for event in await events_of(lab, key)]
        here = {who for kind, who in kinds[: kinds.index(("shown", None))] if kind == "joined"}
        assert here & {"helper", "mole"} == bots
    assert (await people_in(lab)).settings.get("deceives")
    one = lab.room("l-1", study="s")
    await one.post("hi", author=(await people_in(lab)).groups["l-1"].people[0])
    await until(lab, one.key, "message", 2)
    assert [each.member for each in await one.messages()][-1] == "helper"


async def test_a_bot_of_one_condition_is_in_no_log_and_no_audit_of_another(lab: Lab) -> None:
    """Though it writes at set times, and at messages."""

    def respond(messages: Sequence[Any]) -> str:
        return f"after {len(messages)}"

    when: Any = [At(0), "message"]
    helper = Bot("helper", respond=respond, disclose=True, when=when, reading=None, typing=None)
    bots: Any = {"a": [helper], "b": []}
    lobby = lobby_in(lab, conditions=["a", "b"], balance="rotate", bots=bots)
    await come(lobby, "ann", "bob", "carl", "dora")
    with_bot, without = (lab.room(id, study="s") for id in ("l-1", "l-2"))
    await until(lab, with_bot.key, "message")
    for room in (without, with_bot):
        await until(lab, room.key, "shown")
        await room.post("hi", author=(await people_in(lab)).groups[room.id].people[0])
    await until(lab, with_bot.key, "message", 3)
    said = [message.content for message in await with_bot.messages()]
    assert said == ["after 0", "hi", "after 2"]
    with pytest.raises(ValueError, match="has no bot"):
        await without.ask(helper)
    assert await without.audit() == []
    assert "helper" not in str(await events_of(lab, without.key))
    assert [each.trigger for each in await with_bot.audit()] == ["at 0", "message"]


async def test_people_are_refused_who_would_not_be_told_of_an_undisclosed_bot(lab: Lab) -> None:
    mole = Bot("mole", respond=lambda messages: None)
    lobby = lobby_in(lab, bots=lambda condition: [mole])
    with pytest.raises(Exception, match="no_debrief"):
        await lobby.study.submit(Arrive("s", "ann"))


# ── what the code says ──


async def test_what_the_code_says_of_a_lobby_is_stored_once(lab: Lab, reopen: Lab) -> None:
    await lobby_in(lab, group_size=(2, 3, 4)).describe()
    await lobby_in(reopen, group_size=(2, 3, 4)).describe()
    assert len(await kinds_of(lab, LOBBY, "configured")) == 1
    await lobby_in(lab, group_size=(2, 3, 4), max_wait=60).describe()
    [_, second] = await kinds_of(lab, LOBBY, "configured")
    assert second.data["settings"] == {"max_wait": 60}


async def test_groups_do_not_become_others_while_people_take_part(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    await come(lobby_in(lab), "ann")
    with pytest.raises(Exception, match=r"group_size is \[2, 2, 2\] there; the app says \[3"):
        await lobby_in(lab, group_size=3).describe()
    await come(lobby_in(lab, group_size=3), "bob")
    await until(lab, LogKey("s", "l-1"), "shown")
    said = [each for each in caplog.messages if "cannot be as its code says" in each]
    assert 1 <= len(said) <= 2, "once when it is described, once by the lobby itself"
