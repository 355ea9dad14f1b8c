"""
A study in which somebody has left sentences in every place that a database has for them.

``python -m tests.contract.planting URL ID``: withdraw somebody, as a process that is killed.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Mapping
from itertools import count
from typing import Any

import sqlalchemy as sa

from shiny_labchat import Lab, Room, Rules, Study
from shiny_labchat.access.bookmarks import BookmarkedSeat, BookmarkToken
from shiny_labchat.access.recruits import arrive
from shiny_labchat.audit import entries
from shiny_labchat.audit.prompts import Prompt
from shiny_labchat.domain.commands import (
    Arrive,
    EndStream,
    Join,
    PassOver,
    Post,
    Publish,
    Record,
    RecordAnswer,
    Say,
    SetStep,
    Withdraw,
    Withhold,
)
from shiny_labchat.domain.presence import Signs
from shiny_labchat.domain.speakers import named
from shiny_labchat.store import Person, give_name, note_seen
from shiny_labchat.store.checkpoints import Checkpoint, keep, row_of
from tests.support.planted import SENTENCES

__all__ = ["OTHER", "PLACES", "plant"]

OTHER = "person-" + "b" * 16
PLACES = (
    *("said", "held", "withheld", "posted", "transformed", "stream", "open stream"),
    *("answer", "record", "pseudonym", "param", "turn", "told", "failure", "bookmark"),
    *("device", "step", "reason", "private", "published"),
)
"""What `plant` gives a sentence each, in turn."""


async def plant(lab: Lab) -> str:
    """Make the study, and return the id of whom all of the sentences are."""
    study = Study("s", lab=lab, params=["PROLIFIC_PID", "SESSION"], seed=1)
    await study.describe()
    params = {"PROLIFIC_PID": SENTENCES[10], "SESSION": SENTENCES[30]}
    me = (await arrive(lab.log, "s", params, "the key of a browser")).person
    await study.submit(Arrive("s", me, device=SENTENCES[15]))
    await study.submit(Arrive("s", OTHER))
    rooms = [lab.room(f"r{n}", study="s", rules=Rules(rate=None)) for n in range(3)]
    for room in rooms:
        await room.add_member(OTHER)
    await rooms[0].submit(Join(me, "handle", "participant", SENTENCES[9]))
    for room in rooms[1:]:
        await room.add_member(me)
    others = [asyncio.create_task(_fill(room)) for room in rooms]
    for n, sentence in enumerate(SENTENCES):
        await _put(PLACES[n % len(PLACES)], sentence, n, rooms[n % 3], study, me)
    await asyncio.gather(*others)
    await _name(lab, me)
    return me


async def _fill(room: Room) -> None:
    """Have others talk meanwhile, so that pages of the file are split."""
    for n in range(150):
        await room.submit(Say(OTHER, f"{n} other words " * (n % 40 + 1), f"o{n}", "page"))


async def _name(lab: Lab, me: str) -> None:
    def write(conn: sa.Connection, now: int) -> None:
        give_name(conn, "s", me)
        note_seen(conn, {Person("s", me): Signs(-5, -5, -5)})

    await lab.log.write(write)
    await lab.invite(me, study="s", pseudonym=SENTENCES[9])


async def _put(place: str, text: str, n: int, room: Room, study: Study, me: str) -> None:
    log = room.log
    match place:
        case "said":
            await room.submit(Say(me, text, f"c{n}", "page"))
        case "held":
            await room.submit(Say(me, text, f"c{n}", "page", waits=True))
        case "published":
            held = (await room.submit(Say(me, text, f"c{n}", "page", waits=True))).events[-1]
            await room.submit(Publish(held.seq, me, "page", text, f"as {text}"))
        case "withheld":
            await room.submit(Withhold(text, me, "not_accepted", None, "page", f"error: {text}"))
        case "posted" | "private":
            to = [me, OTHER] if place == "private" else None
            parts = [("markdown", text)]
            await room.submit(Post(parts, "user", me, audience=to, icon=text, original=text))
        case "transformed":
            await room.submit(Post([("text", "x")], "user", me, transformed=text))
        case "stream" | "open stream":
            await _stream(room, me, text, ends=place == "stream")
        case "answer":
            await study.submit(RecordAnswer("s", me, f"form{n}", {"answer": [text, 10**30]}))
        case "record":
            await room.submit(Record(f"kind{n}", {"value": text}, me))
        case "failure":
            of = (await room.submit(Say(me, "?", f"f{n}", "page"))).events[-1].seq
            await room.submit(PassOver("callback", of, 4, f"ValueError: {text}"))
        case "turn" | "told" | "reason":
            message = (await room.submit(Say(me, text, f"t{n}", "page"))).events[-1]
            await log.write(lambda conn, now: _ask(conn, now, room, message, place, text))
        case "bookmark":
            await BookmarkToken(BookmarkedSeat(room.key, me, None, text)).store(log)
        case "step":
            await study.submit(SetStep("s", me, text))
        case _ if text not in (*SENTENCES[9:11], SENTENCES[15], SENTENCES[30]):
            await room.submit(Say(me, text, f"c{n}", "page"))
        case _:  # there already
            assert place in ("pseudonym", "param", "device")


async def _stream(room: Room, me: str, text: str, *, ends: bool) -> None:
    opening = (await room.submit(Post([], "user", me, is_live=True))).events[-1]
    row = row_of((room.key, opening.seq), Checkpoint([("text", text)]))
    await room.log.write(lambda conn, now: keep(conn, now, [row]))
    if ends:
        await room.submit(EndStream(opening.seq, [("text", text)], original=text))


def _ask(conn: sa.Connection, now: int, room: Room, message: Any, place: str, text: str) -> None:
    name, seq = message.data["name"], message.seq
    told: list[Mapping[str, Any]] = [{"seq": seq, "member": message.member, "content": text}]
    if place != "told":
        line = named(text, name, role="user", is_members=True)
        both = [{"text": "Other: words"}, {"text": f"\n{line}"}]
        told = [{"role": "system", "contents": []}, {"role": "user", "contents": both}]
    reason = f"failed at {text}" if place == "reason" else None
    fields = {"seq": seq, "knew": seq, "outcome": "failed", "reason": reason}
    entries.add(conn, now, room.key, "bot", Prompt(told), **fields)


async def withdraw(url: str, person: str) -> None:
    """Withdraw somebody, and print how many rows are rewritten, while this is not stored yet."""
    lab, rewritten = Lab(url), count(1)

    def trace(statement: str) -> None:
        if statement.startswith("UPDATE event") and (n := next(rewritten)) % 500 == 0:
            print(n, flush=True)

    def follow(conn: sa.Connection, now: int) -> None:
        raw = conn.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_trace_callback(trace)

    await lab.log.write(follow)
    await lab.log.withdraw(Withdraw("s", person, "withdrawn-" + "0" * 16))
    print("stored", flush=True)


if __name__ == "__main__":
    asyncio.run(withdraw(*sys.argv[1:]))
