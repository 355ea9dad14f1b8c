"""A database that version 0.1 has written is read as that read it, and goes on from there."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shiny_labchat import Bot, Lab, Member, Message, Refused, Room, Rules
from shiny_labchat.access import identity, tickets
from shiny_labchat.access.bookmarks import BookmarkToken, find_bookmark
from shiny_labchat.audit.spending import spent
from shiny_labchat.lab.runtime import running
from shiny_labchat.store.schema import token
from tests.support.older_version import KNOWN, as_json, copied, tokens_as_written
from tests.support.reconnecting_client import log_of

TOKENS = KNOWN["tokens"]


@pytest.fixture
def url(tmp_path: Path, sqlite_only: None) -> str:
    return copied(tmp_path)


def room_of(lab: Lab, known: dict[str, Any]) -> Room:
    return lab.room(known["room"], study=known["study"])


def each_of(rooms: Iterable[dict[str, Any]]) -> Any:
    """Once for each of these rooms."""
    named = [pytest.param(room, id=f"{room['study']}-{room['id']}") for room in rooms]
    return pytest.mark.parametrize("known", named)


# ── what is read ──


async def test_no_row_refers_to_one_that_is_gone(lab: Lab) -> None:
    """A migration makes a table anew, to which others refer."""
    await lab.rooms()
    found = await lab.log.read(lambda conn: conn.exec_driver_sql("PRAGMA foreign_key_check").all())
    assert found == []


async def test_all_rooms_are_there_in_order(lab: Lab) -> None:
    rooms = [(room.study, room.id) for room in await lab.rooms()]
    assert rooms == [(known["study"], known["id"]) for known in KNOWN["rooms"]]


@each_of(KNOWN["rooms"])
async def test_a_room_is_what_it_was(lab: Lab, known: dict[str, Any]) -> None:
    """Its log, what follows from that, its members, and what was said."""
    room = lab.room(known["id"], study=known["study"])
    assert as_json([list(event) for event in await log_of(room)]) == known["events"]
    assert as_json(await _state(room)) == known["state"]
    assert as_json([asdict(member) for member in await room.members()]) == known["members"]
    messages = as_json([each.as_dict() for each in await room.messages()])
    since = {"transformed": None, "withdrawn": False, "by_network": False}
    assert messages == [{**each, **since} for each in known["messages"]]


RULES = "max_length", "rate", "burst", "max_composing"
"""The rules that there were."""


async def _state(room: Room) -> dict[str, Any]:
    state = await room.state()
    return {
        "seq": state.seq,
        "title": state.title,
        "write": state.write,
        "rules": {name: getattr(state.rules, name) for name in RULES},
        "seed": state.seed,
        "is_open": state.is_open,
        "reason": state.reason,
        "cleared": state.cleared,
        "told": list(state.told.items()),
        "seats": [_seat(seat) for seat in state.memberships.values()],
    }


def _seat(seat: Any) -> dict[str, Any]:
    """All that is known of a member, but for how much they may say at once: that begins anew."""
    return {
        "member": seat.member,
        "handle": seat.handle,
        "pseudonym": seat.pseudonym,
        "role": seat.role,
        "joined": seat.joined,
        "asked": seat.asked,
        "is_muted": seat.is_muted,
        "is_removed": seat.is_removed,
        "view_from": seat.view_from,
        "is_bot": seat.is_bot,
        "shown": seat.shown,
        "known_to": seat.known_to,
    }


async def test_what_bots_were_told_and_have_spent_is_what_it_was(lab: Lab) -> None:
    known_audit = [{**entry, "trigger": None} for entry in KNOWN["audit"]]  # there were none
    assert as_json([asdict(entry) for entry in await lab.audit()]) == known_audit
    for known in KNOWN["spent"]:
        study, bot = known["study"], known["bot"]
        found = await lab.log.read(lambda conn, study=study, bot=bot: spent(conn, study, bot))
        assert list(found) == known["spent"]


# ── what goes on ──


@each_of(room for room in KNOWN["rooms"] if room["state"]["is_open"])
async def test_people_join_and_talk_in_an_open_room(lab: Lab, known: dict[str, Any]) -> None:
    room = lab.room(known["id"], study=known["study"])
    new = await room.add_member("new", "Player {n}")
    assert new.pseudonym not in [seat["pseudonym"] for seat in known["state"]["seats"]]
    said = await room.post("What is new?", author=new)
    assert said.seq > known["state"]["seq"]
    (last,) = await room.messages(last=1)
    assert (last.content, last.author) == ("What is new?", new.pseudonym)
    assert len(await room.messages()) == len(known["messages"]) + 1


async def test_who_may_not_write_still_may_not(lab: Lab) -> None:
    general = lab.room("general", study="pilot")
    codes = [await _code(general, member) for member in ("p4", "gone")]
    codes.append(await _code(lab.room("announcements", study="pilot"), "exp"))
    assert codes == ["muted", "removed", "closed"]


async def _code(room: Room, member: str) -> str:
    with pytest.raises(Refused) as refused:
        await room.post("Hello?", author=member)
    return refused.value.code


async def test_what_was_posted_under_an_id_is_not_posted_again(lab: Lab) -> None:
    room = lab.room("general", study="pilot")
    (before,) = [each for each in await room.messages() if each.id == "welcome"]
    assert (await room.post("Welcome, again!", id="welcome")) == before


async def test_a_stream_whose_server_is_gone_ends_with_what_was_kept(lab: Lab) -> None:
    room = lab.room("streams", study="pilot")
    before = (await room.state()).seq
    kept = await room.messages(last=2)
    text = "What was **said** before the server<b>!</b>"
    assert [each.content for each in kept] == [text, text]
    assert [each.audience for each in kept] == [None, ("p2",)]
    ends = [event for event in await log_of(room) if event.seq > before]
    assert [(end.data["of"], end.data["is"]) for end in ends] == [
        (each.seq, "interrupted") for each in kept
    ]
    await room.messages()
    assert (await room.state()).seq == before + 2


# ── tokens ──


@pytest.fixture(params=["converted", "written since"])
async def tokens(request: pytest.FixtureRequest, lab: Lab) -> None:
    """The older version's tokens: from before the migration, or from a process that goes on."""
    if request.param == "written since":
        anew = sa.update(token).where(token.c.hash == sa.bindparam("hash_"))
        rows = [{"hash_": hash, "page": page} for hash, page in tokens_as_written().items()]
        await lab.log.write(lambda conn, now: conn.execute(anew.values(data=None), rows))


async def test_a_page_is_an_id_and_all_else_is_data(lab: Lab) -> None:
    found = await lab.log.read(lambda conn: conn.execute(_PAGES).all())
    rows = {hash: (page, data and json.loads(data)) for hash, page, data in found}
    assert not any("\t" in page for page, _ in rows.values() if page)
    for known in TOKENS["tickets"] + TOKENS["resumes"]:
        data = {"waits": True} if known["waits"] else None
        assert rows[_hash(known["token"])] == (known["page"], data)
    for known in TOKENS["bookmarks"]:
        data = {"browser": known["browser"], "client": known["client"]}
        assert rows[_hash(known["token"])] == (None, data)


_PAGES = sa.select(token.c.hash, token.c.page, token.c.data)


def _hash(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()


def test_there_are_tokens_of_pages_that_wait_and_of_others() -> None:
    """Of bookmarks: such as are good in one browser, and in all."""
    for kind in ("tickets", "resumes"):
        assert {known["waits"] for known in TOKENS[kind]} == {True, False}
    assert {known["browser"] is None for known in TOKENS["bookmarks"]} == {True, False}


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize("known", TOKENS["tickets"])
async def test_a_ticket_opens_its_room_once(lab: Lab, known: dict[str, Any]) -> None:
    resume = await _opens(lab, known, is_resume=False)
    await _opens(lab, {**known, "token": resume}, is_resume=True)
    with pytest.raises(Refused, match="ticket"):
        await tickets.enter([lab.log], known["token"], is_resume=False)


@pytest.mark.parametrize("raw", TOKENS["spent_tickets"])
async def test_a_ticket_that_was_used_or_has_run_out_opens_nothing(lab: Lab, raw: str) -> None:
    with pytest.raises(Refused, match="ticket"):
        await tickets.enter([lab.log], raw, is_resume=False)


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize("known", TOKENS["resumes"])
async def test_a_resume_token_opens_its_room_again_and_again(
    lab: Lab, known: dict[str, Any]
) -> None:
    for _ in range(2):
        await _opens(lab, known, is_resume=True)


async def _opens(lab: Lab, known: dict[str, Any], is_resume: bool) -> str:
    """Come in; gives the token to come back with."""
    entry = await tickets.enter([lab.log], known["token"], is_resume)
    assert entry.room == room_of(lab, known).key
    assert (entry.member, entry.page, entry.waits) == (
        known["member"],
        known["page"],
        known["waits"],
    )
    return entry.resume


async def test_a_browser_is_known_again(lab: Lab) -> None:
    for known in TOKENS["browsers"]:
        assert await identity.identify(lab.log, known["key"]) == known["member"]
        assert await identity.identify(lab.log, known["key"] + "0") != known["member"]


@pytest.mark.parametrize("known", TOKENS["invites"])
async def test_a_personal_link_is_its_persons(lab: Lab, known: dict[str, Any]) -> None:
    grant = await identity.invitation(lab.log, known["token"])
    assert grant is not None
    assert grant.room == (room_of(lab, known).key if known["room"] else None)
    assert (grant.member, grant.study, grant.role) == (
        known["member"],
        known["study"],
        known["role"],
    )


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize("known", TOKENS["bookmarks"])
async def test_a_bookmark_leads_back_and_is_kept_on(lab: Lab, known: dict[str, Any]) -> None:
    found = await find_bookmark(lab.log, known["token"])
    assert found is not None and found.room == room_of(lab, known).key
    assert (found.member, found.browser, found.client) == (
        known["member"],
        known["browser"],
        known["client"],
    )
    kept = BookmarkToken(found, known["token"])
    kept.seat = replace(found, client='{"asked": ["more"]}')
    await kept.store(lab.log)
    assert await find_bookmark(lab.log, known["token"]) == kept.seat


# ── callbacks and bots ──


async def test_callbacks_go_on_with_what_they_have_not_heard(lab: Lab) -> None:
    """And with what is said then; nothing that they had heard is repeated."""
    heard: dict[str, list[list[Any]]] = {name: [] for name in KNOWN["heard"]}
    news = asyncio.Event()

    def ear(name: str) -> Any:
        async def hear(room: Room, member: Member | None, said: Message) -> None:
            who = member and member.pseudonym
            heard[name].append([room.study, room.id, said.seq, said.content, who, said.is_repeat])
            news.set()

        return hear

    general, fails = lab.room("general", study="pilot"), lab.room("fails", study="main")
    lab.on_message(name="count")(ear("count"))
    lab.on_message("group-*", name="note")(ear("note"))
    general.on_message(ear("own"), name="own")
    fails.on_message(ear("fails"), name="fails")
    expected = {name: [*known] for name, known in KNOWN["heard"].items()}
    async with running():
        streams = lab.room("streams", study="pilot")
        for ended in await streams.messages(last=2):  # their server has ended
            who = ended.author if ended.member else None
            expected["count"].append([*streams.key[:2], ended.seq, ended.content, who, False])
        for room, names in ((general, ("count", "own")), (fails, ("count", "fails"))):
            last = await room.post("The last one")
            for name in names:
                expected[name].append([*room.key[:2], last.seq, last.content, None, False])
        group = await lab.room("group-1", study="main").post("The last one, too")
        for name in ("count", "note"):
            expected[name].append(["main", "group-1", group.seq, group.content, None, False])
        async with asyncio.timeout(20):
            while sum(map(len, heard.values())) < sum(map(len, expected.values())):
                news.clear()
                await news.wait()
    assert {name: sorted(each) for name, each in heard.items()} == {
        name: sorted(each) for name, each in expected.items()
    }
    for each in heard.values():
        for id in ("group-1", "group-2"):
            seqs = [seq for _, where, seq, *_ in each if where == id]
            assert seqs == sorted(seqs), "out of order"


async def test_a_bot_answers_what_its_server_died_of(lab: Lab) -> None:
    """Its place in the queue of those who compose was left behind, and nobody waits for that."""

    def respond(messages: Sequence[Message]) -> str:
        return f"Here I am, after {len(messages)}."

    room = lab.room("held", study="main", rules=Rules(rate=None))
    await room.add_member("p1")
    room.add_bot(Bot("slow", respond=respond, reading=None, typing=None))
    answered = asyncio.Event()

    @room.on_message(name="answered")
    async def _(room: Room, member: Member | None, message: Message) -> None:
        if message.member == "slow":
            answered.set()

    async with running():
        async with asyncio.timeout(20):
            await answered.wait()
    said = [(each.content, each.author) for each in await room.messages()]
    assert said == [("Is anybody there?", "Ann"), ("Here I am, after 1.", "Sam")]
    assert [entry.outcome for entry in await room.audit()] == ["interrupted", "posted"]
