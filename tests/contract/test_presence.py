"""Presence over processes: what is known of people, who is told of changes, and who is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from shiny_labchat import Bot, Lab, Member, Refused, Room
from shiny_labchat.domain.commands import ConfirmPresence, NotePresence
from shiny_labchat.domain.presence import Presence, Signs
from shiny_labchat.lab.runtime import running
from shiny_labchat.store import Log, Person, note_seen, rooms_with_people, seen_of
from shiny_labchat.store.schema import seen

MINUTE = 60_000_000
ANN, BOB, NAMESAKE = Person("s", "ann"), Person("s", "bob"), Person("t", "ann")


@pytest.fixture(autouse=True)
async def ends(lab: Lab, reopen: Lab) -> AsyncIterator[None]:
    """Callbacks are left before their logs are closed."""
    async with running():
        yield


# ── what is known of people ──


async def _note(log: Log, ages: dict[Person, Signs]) -> None:
    await log.write(lambda conn, now: note_seen(conn, ages))


async def _ages(log: Log, *people: Person) -> dict[Person, list[int | None]]:
    """How many minutes ago people were heard, shown and active; None: never."""
    found, now = await log.read(partial(seen_of, people=people))
    return {
        person: [None if not at else round((now - at) / MINUTE) for at in signs]
        for person, signs in found.items()
    }


async def test_all_processes_know_the_newest_of_each_sign(lab: Lab, reopen: Lab) -> None:
    await _note(lab.log, {ANN: Signs(-100 * MINUTE, -200 * MINUTE, -900 * MINUTE)})
    await _note(reopen.log, {ANN: Signs(-300 * MINUTE, 0, -300 * MINUTE)})
    await _note(reopen.log, {BOB: Signs(-MINUTE, 0, 0)})
    known = await _ages(lab.log, ANN, BOB, NAMESAKE)
    assert known == {ANN: [100, 200, 300], BOB: [1, None, None]}
    assert await _ages(reopen.log, ANN, BOB, NAMESAKE) == known


async def test_there_is_one_row_for_each_person_however_often_they_are_heard(lab: Lab) -> None:
    people = [Person(study, f"p{n}") for study in "st" for n in range(150)]
    for age in (9, 6, 3):
        await _note(lab.log, dict.fromkeys(people, Signs(-age * MINUTE, 0, 0)))
    count = sa.select(sa.func.count()).select_from(seen)
    assert await lab.log.read(lambda conn: conn.execute(count).scalar()) == 300
    assert set(map(tuple, (await _ages(lab.log, *people)).values())) == {(3, None, None)}


async def test_rooms_in_which_somebody_is_not_gone_are_found(lab: Lab, room: Room) -> None:
    other = await lab.create_room("other", study="s")
    await other.add_member("a")
    await _is(room, "a", "here")
    await _is(room, "b", "gone")
    await _is(other, "a", "away", "gone")
    assert await lab.log.read(rooms_with_people) == [room.key]


async def test_presence_is_known_after_a_restart(room: Room, reopen: Lab) -> None:
    await room.submit(NotePresence("a", "away"))
    await room.post("hi")
    state = await reopen.room("r", study="s").state()
    assert [each.presence for each in state.members()] == ["away", None]


# ── functions that are called with changes ──


class Ear:
    """A function that keeps what it is called with."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()

    async def __call__(self, room: Room, member: Member, state: str) -> None:
        self.heard.put_nowait((room.id, member.id, state))

    async def hears(self, number: int) -> list[tuple[str, str, str]]:
        async with asyncio.timeout(20):
            return [await self.heard.get() for _ in range(number)]


async def _is(room: Room, member: str, *presences: Presence) -> None:
    for presence in presences:
        await room.submit(NotePresence(member, presence))


async def test_each_change_is_told_once_in_order_and_messages_are_not(room: Room, lab: Lab) -> None:
    ear = Ear()
    lab.on_presence("r", "ear")(ear)
    await _is(room, "a", "here", "here", "away")
    await room.post("hi")
    await _is(room, "b", "gone")
    assert await ear.hears(3) == [("r", "a", "here"), ("r", "a", "away"), ("r", "b", "gone")]


async def test_one_function_may_be_told_of_messages_and_of_presence(room: Room) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    @room.on_presence
    async def _(room: Room, member: Member, state: str) -> None:
        await room.post(f"{member.id} is {state}")

    @room.on_message(name="both")
    @room.on_presence(name="both")
    async def _(room: Any, member: Any, state: Any = None, message: Any = None) -> None:
        heard.put_nowait(str(state))

    await _is(room, "a", "idle")
    async with asyncio.timeout(20):
        assert sorted([await heard.get(), await heard.get()]) == ["a is idle", "idle"]


async def test_what_another_process_logs_is_told_too(lab: Lab, room: Room, reopen: Lab) -> None:
    ear = Ear()
    lab.on_presence("r", "ear")(ear)
    await _is(reopen.room("r", study="s"), "a", "here", "gone")
    assert await ear.hears(2) == [("r", "a", "here"), ("r", "a", "gone")]


async def test_it_goes_on_after_a_restart(lab: Lab, room: Room, reopen: Lab) -> None:
    first, second = Ear(), Ear()
    lab.on_presence("r", "ear")(first)
    await _is(room, "a", "here")
    await first.hears(1)
    reopen.on_presence("r", "ear")(second)
    await _is(reopen.room("r", study="s"), "a", "away")
    heard = [asyncio.ensure_future(ear.heard.get()) for ear in (first, second)]
    done, left = await asyncio.wait(heard, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result() for task in done] == [("r", "a", "away")] and len(left) == 1
    for task in left:
        task.cancel()


@pytest.mark.parametrize("fn", [lambda room, member: None, lambda room: None, 3])
async def test_a_function_takes_the_room_a_member_and_their_state(lab: Lab, fn: Any) -> None:
    with pytest.raises(TypeError, match=r"room, member, state"):
        lab.on_presence()(fn)


# ── asking ──


async def _question_of(room: Room, member: str, before: int = 0) -> int:
    """Wait until a member is asked; gives the question's seq, which is after another's."""
    async with asyncio.timeout(20):
        while (question := (await room.state()).memberships[member].question) <= before:
            pass
    return question


async def test_who_answers_in_time_is_there(room: Room, reopen: Lab) -> None:
    asking = asyncio.ensure_future(room.ask_presence("a", within=20))
    elsewhere = reopen.room("r", study="s")
    await elsewhere.submit(ConfirmPresence("a", await _question_of(elsewhere, "a")))
    assert await asyncio.wait_for(asking, 10)


async def test_who_does_not_answer_is_not_and_cannot_answer_later(room: Room) -> None:
    asking = asyncio.ensure_future(room.ask_presence("a", within=0.2))
    question = await _question_of(room, "a")
    assert not await asking
    assert (await room.submit(ConfirmPresence("a", question))).events == ()
    assert not await room.ask_presence("a", within=0.01)


async def test_an_answer_is_one_to_all_questions_that_were_asked_before(room: Room) -> None:
    asking = [asyncio.ensure_future(room.ask_presence("a", within=20))]
    first = await _question_of(room, "a")
    asking += [asyncio.ensure_future(room.ask_presence("a", within=20))]
    await room.submit(ConfirmPresence("a", await _question_of(room, "a", before=first)))
    assert await asyncio.wait_for(asyncio.gather(*asking), 10) == [True, True]


async def test_a_bot_is_always_there_and_a_stranger_is_not_asked(room: Room) -> None:
    room.add_bot(Bot("echo", respond=str))
    await room.create()
    assert await room.ask_presence("echo", within=0.01)
    with pytest.raises(Refused, match="not_member"):
        await room.ask_presence("x")
    with pytest.raises(ValueError, match="within must be above 0"):
        await room.ask_presence("a", within=0)
