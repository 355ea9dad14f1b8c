"""What is known of a token beside whose it is."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Room
from shiny_labchat.access import tickets
from shiny_labchat.access.bookmarks import BookmarkedSeat, find_bookmark
from shiny_labchat.store import Grant, issue, look_up, note
from shiny_labchat.store.schema import token

NEWS = {"tomorrow": {"kind": [1, None]}, "room": "another"}
"""What a version of tomorrow may write beside what is known today."""


async def issued(lab: Lab, kind: str, grant: Grant) -> str:
    return await lab.log.write(lambda conn, now: issue(conn, kind, grant, now))


@pytest.mark.parametrize("waits", [True, False])
async def test_whoever_comes_in_and_comes_back_waits_if_their_page_does(
    lab: Lab, room: Room, waits: bool
) -> None:
    raw = await tickets.ticket(lab.log, room.key, "a", "page/chat", waits=waits)
    entry = await tickets.enter([lab.log], raw, is_resume=False)
    again = await tickets.enter([lab.log], entry.resume, is_resume=True)
    assert [(each.page, each.waits) for each in (entry, again)] == [("page/chat", waits)] * 2


async def test_the_page_of_a_token_is_its_id_alone(lab: Lab, room: Room) -> None:
    raw = await tickets.ticket(lab.log, room.key, "a", "page/chat", waits=True)
    await tickets.enter([lab.log], raw, is_resume=False)
    found = await lab.log.read(
        lambda conn: conn.execute(sa.select(token.c.kind, token.c.page, token.c.data)).all()
    )
    found = [row for row in found if row.kind != "server"]  # with a bus, its secret
    kept = ("page/chat", '{"waits": true}')
    assert sorted(tuple(row) for row in found) == [("resume", *kept), ("ticket", *kept)]


@pytest.mark.parametrize("known", [{}, {"waits": True}])
async def test_what_only_a_newer_version_knows_of_a_ticket_is_carried_on(
    lab: Lab, room: Room, known: dict[str, Any]
) -> None:
    raw = await issued(lab, "ticket", Grant("a", room.key, page="page", data={**known, **NEWS}))
    entry = await tickets.enter([lab.log], raw, is_resume=False)
    assert (entry.room, entry.page, entry.waits) == (room.key, "page", bool(known))
    grant = await lab.log.read(lambda conn: look_up(conn, "resume", entry.resume))
    assert grant is not None and grant.data == {**known, **NEWS}


async def test_what_only_a_newer_version_knows_of_a_bookmark_is_ignored(
    lab: Lab, room: Room
) -> None:
    data = {"browser": "b", "client": None, **NEWS}
    raw = await issued(lab, "seat", Grant("a", room.key, data=data))
    assert await find_bookmark(lab.log, raw) == BookmarkedSeat(room.key, "a", "b")


async def test_what_is_noted_of_a_token_takes_the_place_of_what_was(lab: Lab, room: Room) -> None:
    raw = await issued(lab, "seat", Grant("a", room.key, data={"browser": "b", "client": "\ud83d"}))
    await lab.log.write(lambda conn, now: note(conn, "seat", raw, {"browser": "c"}))
    grant = await lab.log.read(lambda conn: look_up(conn, "seat", raw))
    assert grant == Grant("a", room.key, study="s", data={"browser": "c"})
