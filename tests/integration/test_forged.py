"""Forged frames: refused with a code, logged, and nothing stored."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from shiny_labchat import Lab, Room
from shiny_labchat.access.tickets import ticket
from shiny_labchat.protocol import VERSION
from shiny_labchat.store import Grant, issue
from tests.support.client import browser
from tests.support.server import Server

from .conftest import Come, log_of

HELLO = {"t": "hello", "v": VERSION, "after": ""}


@pytest.fixture(autouse=True)
async def nothing_stored(room: Room, server: Server) -> AsyncIterator[None]:
    """After each test here the room's log is as before, but for joins and messages of ann's."""
    yield
    log = await log_of(room)
    assert {event.kind for event in log} <= {"configured", "joined", "removed", "message"}
    assert {e.data["parts"][0][1] for e in log if e.kind == "message"} <= {"honest"}
    assert server.is_running


async def is_refused(server: Server, code: str, *frames: str | bytes, **options: Any) -> int:
    """Send frames to a fresh socket; gives the close code."""
    since = len(server.log)
    async with browser(server.port, **options) as forger:
        with suppress(ConnectionClosed):  # who is refused for the origin is not listened to
            for frame in frames:
                await forger.socket.send(frame)
        said, close_code = await forger.is_sent_away()
    assert said == code
    await asyncio.to_thread(server.logs, f"refused a socket of 127.0.0.1:\\d+: {code}", since=since)
    assert forger.welcome == {}
    return close_code


def hello(raw: str, **more: object) -> str:
    return json.dumps({**HELLO, "ticket": raw, **more})


async def ticket_of(room: Room, member: str) -> str:
    return await ticket(room.log, room.key, member, "page")


# ── tickets ──


async def test_an_invented_ticket(server: Server) -> None:
    for raw in ("x", "a" * 43, "' OR 1=1 --"):
        assert await is_refused(server, "ticket", hello(raw)) == 4401
    for raw in ("", "\ud800", "\0", "a" * 129):
        assert await is_refused(server, "bad_frame", hello(raw)) == 4400


async def test_a_ticket_that_was_used(server: Server, room: Room) -> None:
    await room.add_member("ann")
    raw = await ticket_of(room, "ann")
    async with browser(server.port) as ann:
        await ann.hello(ticket=raw)
        assert await is_refused(server, "ticket", hello(raw)) == 4401
        await ann.says("honest")


async def test_one_ticket_shown_by_ten_at_once_lets_one_in(server: Server, room: Room) -> None:
    await room.add_member("ann")
    raw = await ticket_of(room, "ann")

    async def try_it() -> str:
        async with browser(server.port) as one:
            await one.socket.send(hello(raw))
            await one.until(lambda: bool(one.frames))
            return one.frames[0]["t"]

    answers = await asyncio.gather(*(try_it() for _ in range(10)))
    assert sorted(answers) == ["bye"] * 9 + ["welcome"]


async def test_a_ticket_that_has_run_out(server: Server, room: Room) -> None:
    await room.add_member("ann")
    grant = Grant("ann", room.key)
    raw = await room.log.write(lambda c, now: issue(c, "ticket", grant, now - 61_000_000))
    assert await is_refused(server, "ticket", hello(raw)) == 4401


async def test_a_resume_token_that_has_run_out(server: Server, room: Room) -> None:
    await room.add_member("ann")
    grant = Grant("ann", room.key)
    day = 24 * 3600 * 1_000_000
    raw = await room.log.write(lambda c, now: issue(c, "resume", grant, now - day - 1))
    frame = json.dumps({**HELLO, "resume": raw})
    assert await is_refused(server, "ticket", frame) == 4401


async def test_a_token_of_another_kind(server: Server, lab: Lab, room: Room) -> None:
    await room.add_member("ann")
    invite = await lab.invite("ann", room=room)
    raw = await ticket_of(room, "ann")
    for frame in (hello(invite), json.dumps({**HELLO, "resume": invite})):
        assert await is_refused(server, "ticket", frame) == 4401
    assert await is_refused(server, "ticket", json.dumps({**HELLO, "resume": raw})) == 4401


async def test_a_stranger_with_a_ticket(server: Server, room: Room) -> None:
    raw = await ticket_of(room, "stranger")
    assert await is_refused(server, "not_member", hello(raw)) == 4403


async def test_a_removed_member_with_a_ticket(server: Server, room: Room) -> None:
    await room.add_member("bob")
    raw = await ticket_of(room, "bob")
    await room.remove_member("bob")
    assert await is_refused(server, "removed", hello(raw)) == 4403


async def test_a_ticket_to_a_room_that_is_not(server: Server, lab: Lab) -> None:
    raw = await ticket(lab.log, lab.room("never", study="tests").key, "ann", "page")
    await is_refused(server, "no_room", hello(raw))


# ── origins ──


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://lab.example.org.evil.example", "http://[", "x"],
)
async def test_a_page_of_another_site(server: Server, room: Room, origin: str) -> None:
    await room.add_member("ann")
    raw = await ticket_of(room, "ann")
    proxied = {"additional_headers": {"X-Forwarded-Host": "lab.example.org"}}
    assert await is_refused(server, "origin", hello(raw), origin=origin, **proxied) == 4403
    async with browser(server.port) as ann:  # nor did it use the ticket up
        await ann.hello(ticket=raw)
    told = f"a page of {re.escape(origin)} may not use .* for the host .*lab.example.org. "
    server.logs(f"{told}.*X-Forwarded-Host.* LABCHAT_ORIGINS={re.escape(origin)}")


async def test_a_page_of_this_site(server: Server, room: Room) -> None:
    await room.add_member("ann")
    raw = await ticket_of(room, "ann")
    async with browser(server.port, origin=f"http://127.0.0.1:{server.port}") as ann:
        await ann.hello(ticket=raw)


# ── frames before the hello ──


@pytest.mark.parametrize(
    "frame",
    [
        "", "{", "null", "[]", '"hello"', "\ufeff{}", '{"t":"hello"}', '{"t":"hello","v":3}',
        '{"t":"send","cid":"1","text":"x"}', '{"t":"check"}', '{"t":"older","before":1}',
        "[" * 100_000, '{"t":' * 50_000, '{"t":"hello","v":' + "9" * 10_000 + "}",
    ],
    ids=lambda frame: repr(frame[:40]),
)  # fmt: skip
async def test_a_first_frame_that_is_no_hello(server: Server, frame: str) -> None:
    assert await is_refused(server, "bad_frame", frame) == 4400


async def test_bytes(server: Server) -> None:
    for raw in (b"", b"\0\xff", json.dumps(HELLO).encode()):
        assert await is_refused(server, "bad_frame", raw) == 4400


async def test_a_frame_that_is_far_too_big(server: Server) -> None:
    assert await is_refused(server, "too_big", "x" * 300_000) == 4413


async def test_silence(server: Server) -> None:
    """A socket without a hello is closed after a while."""
    async with browser(server.port) as silent:
        async with asyncio.timeout(15):
            raw = await silent.socket.recv()
        assert json.loads(raw)["t"] == "bye"
        assert await silent.ends() == 4401


# ── frames after it ──


@pytest.mark.parametrize(
    ("frame", "code", "close_code"),
    [
        (json.dumps({**HELLO, "ticket": "x"}), "bad_frame", 4400),
        ("{", "bad_frame", 4400),
        ('{"t":"sudo"}', "bad_frame", 4400),
        ('{"t":"send","cid":"1"}', "bad_frame", 4400),
        ('{"t":"send","cid":1,"text":"x"}', "bad_frame", 4400),
        ('{"t":"send","cid":"1","text":' + "[" * 5_000 + "]" * 5_000 + "}", "bad_frame", 4400),
        ('{"t":"older","before":1e3}', "bad_frame", 4400),
        (json.dumps({"t": "send", "cid": "1", "text": "x" * 300_000}), "too_big", 4413),
        (b"\x00", "bad_frame", 4400),
    ],
    ids=lambda value: repr(value)[:50],
)
async def test_a_broken_frame_ends_its_own_socket_only(
    come: Come, server: Server, frame: str | bytes, code: str, close_code: int
) -> None:
    since = len(server.log)
    async with come("mallory") as mallory, come("ann") as ann:
        await mallory.socket.send(frame)
        assert await mallory.is_sent_away() == (code, close_code)
        await asyncio.to_thread(server.logs, f"refused .*: {code}", since=since)
        await ann.says("honest")
        await ann.sees("honest")


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\0", "a\x1b[2J", "\x85"])
async def test_text_that_cannot_be_shown(come: Come, server: Server, text: str) -> None:
    since = len(server.log)
    async with come("mallory") as mallory, come("ann") as ann:
        assert await mallory.tries(text) == "bad_text"
        await asyncio.to_thread(server.logs, "refused a message of .*: bad_text", since=since)
        await ann.says("honest")


@pytest.mark.parametrize("cid", ["\ud800", "\0", "\udfff" * 20], ids=ascii)
async def test_an_id_that_cannot_be_stored_harms_nobody(come: Come, cid: str) -> None:
    async with come("mallory") as mallory, come("ann") as ann:
        await mallory.tell(t="send", cid=cid, text="forged")
        await ann.says("honest")
        await mallory.until(lambda: any(f["t"] in ("bye", "refused") for f in mallory.frames))


async def test_a_frame_cannot_say_who_or_where(come: Come, lab: Lab, room: Room) -> None:
    other = await lab.create_room("other", study="tests")
    async with come("ann") as ann, come("mallory") as mallory:
        claims = {
            "member": "ann", "author": "ann", "h": ann.welcome["you"]["h"], "name": "Ann",
            "role": "assistant", "room": "other", "study": "x", "audience": ["ann"], "id": "x",
            "parts": [["html", "<b>"]], "page": "page-of-ann", "at": 0, "icon": "<svg>",
        }  # fmt: skip
        await mallory.tell(t="send", cid="1", text="honest", **claims)
        await ann.sees("honest")
        [item] = ann.items.values()
    assert item["h"] == mallory.welcome["you"]["h"] and item["parts"] == [["text", "honest"]]
    assert item["role"] == "user" and not {"icon", "only", "deps"} & item.keys()
    [stored] = await room.messages()
    assert (stored.member, stored.audience) == ("mallory", None)
    assert stored.author != "Ann"
    assert await other.messages() == []


async def test_a_developers_id_cannot_be_taken_from_a_browser(come: Come, room: Room) -> None:
    async with come("mallory") as mallory:
        await mallory.says("honest", cid="greeting")
        assert (await room.post("honest", id="greeting")).member is None
        await room.post("honest", author="mallory", id="greeting")
    assert len(await room.messages()) == 3
