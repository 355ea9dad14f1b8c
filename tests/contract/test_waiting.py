"""What every backend holds of messages that wait to be transformed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Room
from shiny_labchat.domain.commands import Close, Publish, Resubmit, Say, Withhold
from shiny_labchat.domain.events import Event
from shiny_labchat.store import find_room, submitted

SENT = Say("a", "hello", "b:1", "page", waits=True)


async def waiting(room: Room, page: str = "page", after: int = 0) -> list[Event]:
    def read(conn: sa.Connection) -> list[Event]:
        found = find_room(conn, room.key)
        held = [] if found is None else submitted(conn, found[0], after)
        return [event for event in held if event.data["page"] == page]

    return await room.log.read(read)


def published(of: int) -> Publish:
    return Publish(of, "a", "page", "hello", "HELLO", "b:1")


async def test_it_waits_until_it_is_published_or_withheld(room: Room) -> None:
    first, second = [(await room.submit(replace(SENT, cid=cid))).events[0] for cid in "12"]
    assert [event.seq for event in await waiting(room)] == [first.seq, second.seq]
    assert await waiting(room, "other") == [] == await waiting(room, after=second.seq)
    await room.submit(published(first.seq))
    assert [event.seq for event in await waiting(room)] == [second.seq]
    await room.submit(Withhold("hello", "a", of=second.seq, page="page"))
    assert await waiting(room) == []


@pytest.mark.parametrize("is_withheld", [False, True])
async def test_who_sends_it_again_is_told_what_it_has_become(
    room: Room, is_withheld: bool, reopen: Lab
) -> None:
    sent = (await room.submit(SENT)).events[0]
    again = await room.submit(SENT)
    assert again.is_repeat and again.events[0].kind == "submitted"
    end = Withhold("hello", "a", of=sent.seq, page="page") if is_withheld else published(sent.seq)
    end = (await room.submit(end)).events[0]
    elsewhere = reopen.room(room.id, study=room.study)
    await room.close()
    for each in (room, elsewhere):
        again = await each.submit(SENT)
        became = again.events[0]
        assert again.is_repeat and (became.seq, became.kind) == (end.seq, end.kind)


async def test_it_is_published_or_withheld_once(room: Room) -> None:
    sent = (await room.submit(SENT)).events[0]
    first = await room.submit(published(sent.seq))
    for again in (published(sent.seq), Withhold("hello", "a", of=sent.seq, page="page")):
        outcome = await room.submit(again)
        assert outcome.is_repeat and outcome.events[0].seq == first.events[0].seq
    await room.submit(Close())
    assert (await room.submit(published(sent.seq))).is_repeat
    assert [(m.content, m.transformed) for m in await room.messages()] == [("hello", "HELLO")]


async def test_a_page_that_takes_it_over_is_done_with_it_when_it_is_published(room: Room) -> None:
    sent = (await room.submit(SENT)).events[0]
    for _ in range(2):
        await room.submit(Resubmit(sent.seq, "a", "other", "hello", "b:1"))
    (taken,) = await waiting(room, "other")
    assert (taken.data["again"], taken.data["text"]) == (sent.seq, "hello")
    await room.submit(published(sent.seq))
    assert await waiting(room) == [] == await waiting(room, "other")
