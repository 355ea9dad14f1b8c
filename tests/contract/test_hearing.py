"""Rooms that another process has named are heard of at once, and nothing is lost by that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event as sa_event

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.domain.commands import Post
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.store.heads import Heads, load_head
from shiny_labchat.store.hearing import Hearing

from .buses import eventually, live, log_of, other_process, seqs_in

LONG = 3600.0
"""A pause between two looks that no test lasts, in seconds."""


@pytest.fixture
async def other(lab: Lab, room: Room) -> AsyncIterator[Lab]:
    """Another process that looks only when it is told to."""
    other = other_process(lab)
    yield other
    other.log.close()


@contextmanager
def statements(log: Any) -> Iterator[list[str]]:
    """The statements that readers of a log send meanwhile."""
    sent: list[str] = []

    def note(conn: sa.Connection, cursor: Any, statement: str, *_: Any) -> None:
        if statement != "BEGIN":
            sent.append(statement)

    engine = log._database.engine()
    sa_event.listen(engine, "before_cursor_execute", note)
    yield sent
    sa_event.remove(engine, "before_cursor_execute", note)


async def knows(lab: Lab, *rooms: Room) -> Hearing:
    """A hearing that knows all of some rooms."""
    heads = Heads()
    for room in rooms:
        head = await lab.log.read(lambda conn, room=room: load_head(conn, room.key))
        assert head is not None
        heads.keep(room.key, head)
    return Hearing(heads)


async def test_all_rooms_that_are_named_are_heard_of_and_only_these(lab: Lab, room: Room) -> None:
    second, third = [await lab.create_room(id, study="s", rules=Rules(rate=None)) for id in "xy"]
    hearing = await knows(lab, room, second, third)
    ends = {each.key: (await each.post("hi")).seq for each in (room, second, third) for _ in "ab"}
    named = {key: seq for key, seq in ends.items() if key != third.key}
    with statements(lab.log) as sent:
        heard = await lab.log.read(lambda conn: hearing.hear_of(conn, named))
    assert {news.log: [event.seq for event in news.events] for news in heard.news} == {
        key: [seq - 1, seq] for key, seq in named.items()
    }
    assert {news.log: news.state.seq for news in heard.news} == named
    assert len(sent) <= len(named) and not heard.are_left and not heard.unknown
    logs = {each.key: await log_of(each) for each in (room, second)}
    assert all([*news.events] == logs[news.log][-2:] for news in heard.news)


async def test_a_room_whose_named_events_are_known_is_not_read(lab: Lab, room: Room) -> None:
    end = (await room.post("hi")).seq
    hearing = await knows(lab, room)
    with statements(lab.log) as sent:
        heard = await lab.log.read(lambda conn: hearing.hear_of(conn, {room.key: end}))
    assert heard.news == [] and sent == []


async def test_a_room_of_which_nothing_is_known_is_said_to_be_unknown(lab: Lab, room: Room) -> None:
    hearing = await knows(lab)
    heard = await lab.log.read(lambda conn: hearing.hear_of(conn, {room.key: 2}))
    assert heard.unknown == [room.key] and heard.news == []


async def test_a_stream_is_left_to_a_look_at_all_that_agrees(lab: Lab, room: Room) -> None:
    hearing = await knows(lab, room)
    stream = await RoomStream.open(room, Post([]), None)
    assert stream is not None
    await stream.close("done")
    end = len(await log_of(room))
    heard = await lab.log.read(lambda conn: hearing.hear_of(conn, {room.key: end}))
    assert heard.are_left and heard.news == []
    [news] = (await lab.log.read(lambda conn: hearing.hear(conn, {room.key}))).news
    assert news.state.seq == end


async def test_what_is_named_is_told_without_another_look(lab: Lab, room: Room, other: Lab) -> None:
    seen = seqs_in(await live(other, room))
    await _looks_never(other)
    for _ in range(5):
        seq = (await room.post("hi")).seq
        other.log._look({room.key: seq})
        await eventually(lambda seq=seq: seen[-1:] == [seq])
    assert seen == sorted(set(seen))


async def test_a_stream_in_a_room_that_is_named_is_told_as_well(
    lab: Lab, room: Room, other: Lab
) -> None:
    seen = seqs_in(await live(other, room))
    await _looks_never(other)
    stream = await RoomStream.open(room, Post([]), None)
    assert stream is not None
    await stream.close("done")
    ends = [event.seq for event in await log_of(room)]
    other.log._look({room.key: ends[-1]})
    await eventually(lambda: seen[-1:] == ends[-1:])


async def test_it_is_heard_on_when_the_connection_for_that_was_lost(
    lab: Lab, room: Room, other: Lab
) -> None:
    seen = seqs_in(await live(other, room))
    await _looks_never(other)
    for _ in range(3):
        seq = (await room.post("hi")).seq
        other.log._look({room.key: seq})
        await eventually(lambda seq=seq: seen[-1:] == [seq])
        looking = other.log._writer.others._looking
        if looking is not None:  # with PostgreSQL
            raw: Any = looking.connection.driver_connection
            raw.pgconn.finish()


async def _looks_never(lab: Lab) -> None:
    """Have a process look only at what it is told of, from now on."""
    writer = lab.log._writer
    writer.others.poll = LONG
    writer.look()
    await eventually(lambda: writer.others._listen_at > LONG / 2 + writer.others._looked_at)
