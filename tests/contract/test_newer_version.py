"""A log in which a newer version has written is used by this one, and loses nothing by that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.bookmarks import BookmarkedSeat, BookmarkToken, find_bookmark
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.store import find_room, look_up, note
from shiny_labchat.store.queries import append_events, insert_events, row_of
from tests.support.reconnecting_client import log_of

KEY = LogKey("s", "r")
NEW = {"new": {"of": [1, None]}}
"""A key of data that this version does not know."""
MEMBER = {"handle": "h-c", "pseudonym": "Cleo", "role": "moderator", "asked": "Cleo", **NEW}
MESSAGE = {"h": "h-c", "name": "Cleo", "parts": [["text", "I am new"]], "lang": "en", **NEW}
WRITTEN: list[tuple[str, str | None, Mapping[str, Any]]] = [
    ("configured", None, {"theme": "dark", "rules": {"max_words": 50, "rate": "adaptive"}}),
    ("joined", "c", MEMBER),
    ("reacted", "c", {"to": 4, "with": "+1"}),
    ("changed", "a", {"pseudonym": "Ann", "colour": "blue"}),
    ("message", "c", {"role": "moderator", **MESSAGE}),
    ("cleared", "b", {"scope": "images"}),
    ("queued", "a", {"page": "page", "submitted": 3, "text": "hm"}),
    ("message", None, {"role": "assistant", **MESSAGE, "live": True}),
]


async def newer_version_writes(lab: Lab) -> list[Event]:
    """Write what no command of this version makes, as another process does."""

    def write(conn: sa.Connection, now: int) -> list[Event]:
        found = find_room(conn, KEY)
        assert found is not None
        number, head = found
        events = [Event(head + n, now, *each) for n, each in enumerate(WRITTEN, start=1)]
        insert_events(conn, [row_of(number, event) for event in events])
        assert append_events(conn, [], [(number, head, events[-1].seq)])
        return events

    return await lab.log.write(write)


async def is_usable(room: Room, lab: Lab) -> None:
    """The room is listed and read, and somebody joins and posts."""
    assert [each.key for each in await lab.rooms()] == [KEY]
    members = {member.id: (member.pseudonym, member.role) for member in await room.members()}
    assert (members["a"][0], members["c"]) == ("Ann", ("Cleo", "observer"))
    said = [(message.content, message.role) for message in await room.messages()]
    assert said == [("before", "user"), ("I am new", "user")]
    new = await room.add_member("new", "New")
    await room.post("after", author=new)
    assert [message.content for message in await room.messages(last=1)] == ["after"]


async def test_a_process_that_starts_opens_such_a_room(room: Room, lab: Lab, reopen: Lab) -> None:
    await room.post("before", author="a")
    written = await newer_version_writes(lab)
    again = reopen.room("r", study="s")
    await is_usable(again, reopen)
    assert [event for event in await log_of(again) if event in written] == written


async def test_a_process_that_has_the_room_open_goes_on(room: Room, lab: Lab, reopen: Lab) -> None:
    await room.post("before", author="a")
    live = await Runtime.of(lab.log).live.open(KEY)
    try:
        await newer_version_writes(reopen)
        await is_usable(room, lab)
        assert live.state._replace(memberships={}) == (await room.state())._replace(memberships={})
    finally:
        live.leave()


async def test_rules_that_are_set_here_leave_those_of_the_newer_version(
    room: Room, lab: Lab, reopen: Lab
) -> None:
    await newer_version_writes(reopen)
    rules = Rules(max_length=9, rate=None)
    assert (await room.state()).rules == Rules(rate=None)
    for each in (lab, reopen):
        await each.create_room("r", study="s", rules=rules)
    settings = [event for event in await log_of(room) if event.kind == "configured"]
    assert len(settings) == 3, "it is set once, whoever sets it"
    said = {**asdict(rules), "warn": [*rules.warn], "max_words": 50, "rate": "adaptive"}
    assert settings[-1].data["rules"] == said
    assert (await room.state()).rules == rules


async def test_a_bookmark_keeps_what_a_newer_version_has_noted(room: Room, lab: Lab) -> None:
    bookmark = BookmarkToken(BookmarkedSeat(room.key, "a", "browser"))
    await bookmark.store(lab.log)
    about = {"browser": "browser", "client": None, **NEW}
    await lab.log.write(lambda conn, now: note(conn, "seat", bookmark.token, about))
    assert await find_bookmark(lab.log, bookmark.token) == bookmark.seat
    bookmark.seat = BookmarkedSeat(room.key, "a", "browser", client="{}")
    await bookmark.store(lab.log)
    assert await find_bookmark(lab.log, bookmark.token) == bookmark.seat
    grant = await lab.log.read(lambda conn: look_up(conn, "seat", bookmark.token))
    assert grant is not None and grant.data["new"] == NEW["new"]
