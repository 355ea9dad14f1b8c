"""Transforms of what people and programmes say, through everything that may happen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from shiny_labchat import Lab, Room
from shiny_labchat.access.tickets import ticket
from tests.integration.conftest import log_of
from tests.support.client import Browser, browser
from tests.support.page import Page, page
from tests.support.server import Server

SOON = 0.5
"""How long a page may take to come back after `quickly` was asked, in seconds."""

APP = ["-m", "uvicorn", "tests.integration.apps.transforms:app"]


@pytest.fixture
async def room(lab: Lab, server: Server) -> Room:
    return lab.room("transforms", study="tests")


@asynccontextmanager
async def person(
    server: Server, *, outputs: tuple[str, ...] = (), key: str | None = None
) -> AsyncIterator[tuple[Page, Browser]]:
    """A page with a session, and its chat's socket."""
    async with page(server.port, outputs=outputs, key=key) as opened:
        async with browser(server.port) as socket:
            await socket.hello(ticket=await opened.ticket())
            yield opened, socket


@asynccontextmanager
async def viewer(server: Server, room: Room) -> AsyncIterator[Browser]:
    """A page's socket only."""
    await room.add_member("viewer")
    async with browser(server.port) as socket:
        await socket.hello(ticket=await ticket(room.log, room.key, "viewer", "page-of-viewer"))
        yield socket


async def asks(server: Server, path: str) -> dict[str, int]:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{server.port}/{path}")).json()


async def has_begun(server: Server, text: str) -> None:
    """Wait until the transform is at a message."""
    async with asyncio.timeout(10):
        while text not in await asks(server, "runs"):
            pass


async def kinds(room: Room) -> list[str]:
    return [event.kind for event in await log_of(room) if event.kind not in ("configured",)]


def heard(socket: Browser) -> str:
    """All that a browser was ever sent."""
    return json.dumps(socket.frames)


# ── what people say ──


async def test_people_see_what_was_written_and_the_log_has_what_was_made(
    server: Server, room: Room
) -> None:
    async with person(server) as (_, ann), viewer(server, room) as bob:
        id = await ann.says("hello")
        for each in (ann, bob):
            await each.sees("hello")
            assert each.items[id]["parts"] == [["text", "hello"]]
            assert "HELLO" not in heard(each)
            assert set(each.items[id]) == {"id", "h", "name", "role", "at", "text", "parts"}
    (message,) = await room.messages()
    assert (message.content, message.transformed, message.role) == ("hello", "HELLO", "user")
    assert message.original is None
    assert await asks(server, "handled") == {"HELLO": 1}


async def test_html_is_text_for_the_app_and_its_model(server: Server, room: Room) -> None:
    async with person(server) as (_, ann):
        await ann.says("bold words")
        await ann.says("<b>mine</b>")
        assert ann.texts == ["bold words", "<b>mine</b>"]
    assert [m.transformed for m in await room.messages()] == ["<b>words</b>", "<B>MINE</B>"]


async def test_what_is_made_nothing_of_is_a_message_that_no_handler_runs_for(
    server: Server, room: Room
) -> None:
    texts = ["drop this", "blank this", "none of this"]
    async with (
        person(server, outputs=("all", "wrote", "became")) as (opened, ann),
        viewer(server, room) as bob,
    ):
        for number, text in enumerate(texts, start=1):
            await ann.says(text)
            read = {"all": " / ".join(texts[:number]), "wrote": text, "became": text}
            await opened.until(lambda read=read: read.items() <= opened.values.items())
        await ann.says("after")
        await bob.sees(*texts, "after")
        await opened.until(lambda: opened.values["all"] == " / ".join([*texts, "AFTER"]))
    assert [m.transformed for m in await room.messages()] == [None, None, None, "AFTER"]
    assert await asks(server, "handled") == {"AFTER": 1}


async def test_what_cannot_be_transformed_is_refused_and_kept_in_the_log_alone(
    server: Server, room: Room
) -> None:
    texts = ["fail here", "cancelled here", "odd here", "number please"]
    async with person(server) as (_, ann), viewer(server, room) as bob:
        for text in texts:
            assert await ann.tries(text) == "not_processed"
        await ann.says("after")
        await bob.sees("after")
        assert ann.texts == bob.texts == ["after"]
        assert not [text for text in texts if text in heard(ann) + heard(bob)]
    withheld = [event for event in await log_of(room) if event.kind == "withheld"]
    assert [(e.data["original"], e.data["code"]) for e in withheld] == [
        (text, "not_processed") for text in texts
    ]
    assert [message.content for message in await room.messages()] == ["after"]


async def test_what_a_transform_appends_comes_after_the_message(server: Server, room: Room) -> None:
    async with person(server) as (_, ann), viewer(server, room) as bob:
        await ann.says("explain me")
        await ann.sees("explain me", "not me!.")
        await bob.settles()
        assert bob.texts == ["explain me"]


async def test_a_slow_one_keeps_only_its_author_waiting_and_the_order(
    server: Server, room: Room
) -> None:
    async with person(server) as (_, ann), person(server) as (_, bob):
        first = await ann.send("slow one")
        second = await ann.send("two")
        await has_begun(server, "slow one")
        await bob.says("meanwhile")
        await ann.sees("meanwhile")
        assert not ann.stored
        await asks(server, "release")
        for each in (ann, bob):
            await each.sees("meanwhile", "slow one", "two")
        await ann.until(lambda: {first, second} <= ann.stored.keys())
        assert list(ann.stored) == [first, second]


async def test_the_rules_are_for_what_was_written_and_come_first(
    server: Server, room: Room
) -> None:
    async with person(server) as (_, ann):
        assert await ann.tries("x" * 201) == "too_long"
        assert await ann.tries("  ") == "empty"
        await ann.says("x" * 200)
        me = (await room.messages())[0].member
        assert me is not None
        await room.mute(me)
        assert await ann.tries("let me") == "muted"
    assert await asks(server, "runs") == {"x" * 200: 1}


async def test_who_may_not_write_any_more_when_it_is_done_is_told_so(
    server: Server, room: Room
) -> None:
    async with person(server) as (_, ann), viewer(server, room) as bob:
        cid = await ann.send("slow one")
        await has_begun(server, "slow one")
        await room.close()
        await asks(server, "release")
        assert (await ann.hears("refused", cid=cid))["code"] == "closed"
        await bob.settles()
        assert bob.texts == []


async def test_a_handler_that_waits_for_what_was_cancelled_fails_and_the_next_runs(
    server: Server, room: Room
) -> None:
    async with person(server) as (opened, ann):
        await ann.says("cancel it")
        await ann.says("append after")
        await ann.sees("cancel it", "append after", "after.")
        await opened.until(lambda: "was cancelled" in "".join(opened.notifications))


# ── exactly once ──


async def test_what_is_sent_again_is_not_transformed_again(server: Server, room: Room) -> None:
    async with person(server) as (_, ann):
        id = await ann.says("hello", "one")
        ann.stored.clear()
        assert await ann.says("hello", "one") == id
        await ann.send("fail this", "two")
        await ann.hears("refused", cid="two")
        await ann.send("fail this", "two")
        await ann.hears("refused", cid="two")
        assert ann.texts == ["hello"]
    assert await asks(server, "runs") == {"hello": 1, "fail this": 1}
    assert (await kinds(room)).count("submitted") == 2


async def test_a_new_socket_hears_what_has_become_of_what_the_old_one_sent(
    server: Server, room: Room
) -> None:
    async with page(server.port) as opened:
        async with browser(server.port) as before:
            await before.hello(ticket=await opened.ticket())
            await before.send("slow one", "cid")
            await has_begun(server, "slow one")
        async with browser(server.port) as after:
            await after.hello(resume=before.welcome["resume"])
            await after.send("slow one", "cid")
            await after.settles()
            await asks(server, "release")
            await after.until(lambda: "cid" in after.stored)
            await after.sees("slow one")
    assert await asks(server, "runs") == {"slow one": 1}


async def test_a_page_that_is_reloaded_hears_what_has_become_of_what_it_had_sent(
    server: Server, room: Room
) -> None:
    async with person(server) as (before, ann):
        await ann.send("slow one", "cid")
        await has_begun(server, "slow one")
    async with person(server, key=before.browser) as (_, ann):
        await ann.send("slow one", "cid")
        await ann.settles()
        await asks(server, "release")
        await ann.until(lambda: "cid" in ann.stored)
        await ann.sees("slow one")
    assert await asks(server, "runs") == {"slow one": 1}
    assert (await kinds(room)).count("message") == 1


# ── sessions and servers that end ──


async def test_what_is_said_while_sessions_change_is_transformed_once(
    server: Server, room: Room
) -> None:
    async with viewer(server, room) as bob, browser(server.port) as ann:
        async with page(server.port) as before:
            await ann.hello(ticket=await before.ticket())
            await ann.says("one")
        cids = [await ann.send(f"{n}: two") for n in range(5)]
        async with page(server.port, before=before) as after:
            cids += [await ann.send(f"{n}: two") for n in range(5, 10)]
            await after.ticket()
            await ann.until(lambda: ann.stored.keys() >= set(cids))
            await bob.settles()
            assert bob.texts == ["one", *(f"{n}: two" for n in range(10))]
    assert set((await asks(server, "runs")).values()) == {1}


@pytest.mark.parametrize("is_reloaded", [False, True], ids=["page", "reloaded page"])
async def test_a_server_that_is_killed_in_the_middle_of_it_loses_nothing(
    server: Server, room: Room, is_reloaded: bool
) -> None:
    async with person(server) as (before, ann):
        await ann.says("one")
        await ann.send("slow two", "cid")
        await has_begun(server, "slow two")
        server.kill()
    server.start()
    await asks(server, "release")
    async with viewer(server, room) as bob, browser(server.port) as again:
        if not is_reloaded:
            await again.hello(resume=ann.welcome["resume"])
            await again.send("slow two", "cid")
            await again.settles()
            assert bob.texts == ["one"]
        key, same = (before.browser, None) if is_reloaded else (None, before)
        lost = {"who": ann.welcome["you"]["h"], "since": ann.upto, "unsure": ["cid"]}
        async with page(server.port, key=key, before=same, lost=lost) as after:
            raw = await after.ticket()
            if is_reloaded:
                await again.hello(ticket=raw)
                await again.send("slow two", "cid")
            await again.until(lambda: "cid" in again.stored)
            await bob.sees("one", "slow two")
    assert (await kinds(room)).count("message") == 2


async def test_what_a_page_sent_that_never_comes_back_is_published_as_it_was_written(
    server: Server, room: Room
) -> None:
    async with person(server) as (_, ann):
        await ann.send("slow two", "cid")
        await has_begun(server, "slow two")
        server.kill()
    server.start()
    await asks(server, "quickly")
    async with viewer(server, room) as bob:
        await bob.settles()
        assert bob.texts == []
        await bob.sees("slow two")
    assert [m.transformed for m in await room.messages()] == [None]
    assert await asks(server, "runs") == await asks(server, "handled") == {}


async def test_the_session_may_live_in_another_process_than_the_socket(
    server: Server, lab: Lab, room: Room
) -> None:
    other = Server(APP, lab.url)
    other.start()
    try:
        async with page(server.port) as opened, browser(other.port) as ann:
            await ann.hello(ticket=await opened.ticket())
            await ann.says("hello")
            await ann.sees("hello")
            assert await ann.tries("fail this") == "not_processed"
        assert await asks(other, "runs") == {}
    finally:
        other.stop()


async def test_a_page_that_is_there_already_is_given_another_ticket(
    server: Server, room: Room
) -> None:
    async with page(server.port, path="/late/websocket/") as opened:
        async with browser(server.port) as plain:
            await plain.hello(ticket=await opened.ticket())
            await plain.says("as it is")
            await opened.update(go=1)
            async with browser(server.port) as ann:
                await ann.hello(ticket=await opened.ticket())
                await ann.says("not as it is")
                await ann.sees("as it is", "not as it is")
    assert [m.transformed for m in await room.messages()] == [None, "NOT AS IT IS"]


# ── what programmes say ──


async def test_what_is_appended_is_shown_as_the_transform_makes_it(
    server: Server, room: Room
) -> None:
    async with person(server) as (_, ann), viewer(server, room) as bob:
        for said in ("append a secret", "append html", "append hush now", "mine too"):
            await ann.says(said)
        for each in (ann, bob):
            await each.until(lambda each=each: "too" in each.texts)
            assistant = [i["parts"] for i in each.items.values() if i["role"] == "assistant"]
            assert assistant == [[["markdown", "a ******."]], [["html", "<i>html</i>"]]]
            assert heard(each).count("a secret") == heard(each).count("hush now") == 1
    appended = [m for m in await room.messages() if m.role == "assistant"]
    assert [m.original for m in appended] == ["a secret", "html"]
    assert (await room.messages())[-1].transformed == "TOO"
    withheld = [e for e in await log_of(room) if e.kind == "withheld"]
    assert [e.data["original"] for e in withheld] == ["hush now"]


async def test_what_is_withheld_under_an_id_is_withheld_once(server: Server, room: Room) -> None:
    async with person(server) as (_, ann), person(server) as (_, bob):
        for each in (ann, bob, ann):
            await each.says("once hush now")
        await bob.says("once now")
        await ann.sees(*["once hush now"] * 3, "once now", "now.")
    withheld = [e for e in await log_of(room) if e.kind == "withheld"]
    assert [e.data["original"] for e in withheld] == ["hush now"]


async def test_a_stream_is_shown_as_the_transform_makes_it(server: Server, room: Room) -> None:
    async with (
        person(server, outputs=("all", "shown", "result")) as (opened, ann),
        viewer(server, room) as bob,
    ):
        await ann.says("stream one secret of mine")
        for each in (ann, bob):
            await each.sees("stream one secret of mine", "one ****** of mine .")
            assert heard(each).count("one secret") == 1
        await opened.until(lambda: opened.values["result"] == "one secret of mine ")
        await opened.until(lambda: opened.values["all"].endswith("/ one secret of mine "))
        await opened.until(lambda: opened.values["shown"].endswith("/ one ****** of mine ."))
        async with viewer(server, room) as late:
            await late.settles()
            assert late.texts == bob.texts
    ran = await asks(server, "runs")
    assert "".join(key[1:-1] for key in ran if key.startswith("[")) == "one secret of mine "


async def test_a_stream_that_is_none_in_the_end_is_withheld(server: Server, room: Room) -> None:
    async with person(server, outputs=("all",)) as (opened, ann):
        await ann.says("stream hush now")
        await ann.until(lambda: any(i.get("is") == "withheld" for i in ann.items.values()))
        await ann.says("after")
        await opened.until(lambda: opened.values["all"] == "STREAM HUSH NOW / AFTER")
        assert ann.texts == ["stream hush now", "", "after"]
    assert not [m for m in await room.messages() if m.role == "assistant"]
    (withheld,) = [e for e in await log_of(room) if e.kind == "streamed"]
    assert (withheld.data["parts"], withheld.data["original"]) == ([], "hush now ")


async def test_a_page_is_let_in_though_what_waited_for_it_cannot_be_said(
    server: Server, room: Room
) -> None:
    async with page(server.port, path="/early/websocket/") as opened, browser(server.port) as ann:
        await ann.hello(ticket=await opened.ticket())
        await ann.sees("hello")
    server.logs("kept for the log")


async def test_a_stream_that_may_not_begin_is_told_of(server: Server, room: Room) -> None:
    async with person(server) as (opened, ann):
        await ann.says("later it is too late")
        await room.close()
        await asks(server, "release")
        await opened.until(lambda: "closed" in "".join(opened.notifications))
        await ann.settles()
        assert ann.texts == ["later it is too late"]


async def test_a_stream_that_waits_for_what_was_cancelled_has_failed(
    server: Server, room: Room
) -> None:
    async with person(server, outputs=("result",)) as (opened, ann):
        await ann.says("break it")
        await ann.until(lambda: any(i.get("is") == "failed" for i in ann.items.values()))
        await opened.until(lambda: opened.values["result"] == "error")
        await opened.until(lambda: "was cancelled" in "".join(opened.notifications))
        server.logs("it waited for something that was cancelled")


async def test_a_transform_that_fails_ends_the_stream(server: Server, room: Room) -> None:
    async with person(server) as (_, ann):
        await ann.says("stream broken things")
        await ann.until(lambda: any(i.get("is") == "failed" for i in ann.items.values()))
        await ann.says("after")
    assert [m.role for m in await room.messages()] == ["user", "user"]
    (failed,) = [event for event in await log_of(room) if event.kind == "streamed"]
    assert (failed.data["is"], failed.data["original"]) == ("failed", "broken ")


# ── what the app reads ──


async def test_the_app_reads_what_was_written_or_what_it_was_made(
    server: Server, room: Room
) -> None:
    outputs = ("all", "none", "last", "wrote", "became")
    async with person(server, outputs=outputs) as (opened, ann):
        await ann.says("one")
        await ann.says("two")
        expected = {
            "all": "ONE / TWO",
            "none": "one / two",
            "last": "one / TWO",
            "wrote": "two",
            "became": "TWO",
        }
        await opened.until(lambda: expected.items() <= opened.values.items())
        await ann.says("append three")
        await opened.until(lambda: opened.values["last"] == "one / two / append three / three")


async def test_a_model_is_told_what_fits_in_its_providers_shape(server: Server, room: Room) -> None:
    async with person(server, outputs=("models",)) as (opened, ann):
        await ann.says("append one two three four")
        await ann.says("append five six seven")
        told = "user: append five six seven / assistant: five six seven (DeprecationWarning)"
        await opened.until(lambda: opened.values["models"] == told)
