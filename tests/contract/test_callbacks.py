"""Persistent callbacks: who hears what, how often, in which order, and what when they fail."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from anyio.lowlevel import checkpoint

from shiny_labchat import Bot, Lab, Member, Message, Room, Rules, protocol
from shiny_labchat.blocking import BLOCKED
from shiny_labchat.callbacks.cursors import LEASE, Cursor, advance
from shiny_labchat.callbacks.scheduler import CallbackScheduler
from shiny_labchat.callbacks.worker import TRIES
from shiny_labchat.domain.commands import EndStream, PassOver, Post
from shiny_labchat.domain.events import Event
from shiny_labchat.lab.runtime import Runtime, running
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.store import events_after, find_room, parse
from shiny_labchat.store.log import Log
from shiny_labchat.store.sqlite import READERS

HOUR = 3_600_000_000
Heard = tuple[Room, Member | None, Message]


@pytest.fixture(autouse=True)
async def ends(lab: Lab, reopen: Lab) -> AsyncIterator[None]:
    """Callbacks are left before their logs are closed."""
    async with running():
        yield


def _scheduler(lab: Lab) -> CallbackScheduler:
    scheduler = Runtime.of(lab.log).scheduler
    assert scheduler is not None
    return scheduler


class Ear:
    """A callback that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Heard] = asyncio.Queue()

    async def __call__(self, room: Room, member: Member | None, message: Message) -> None:
        self.heard.put_nowait((room, member, message))

    async def hears(self, number: int = 1) -> list[str]:
        """The texts of the next messages that it hears."""
        async with asyncio.timeout(20):
            return [(await self.heard.get())[2].content for _ in range(number)]

    async def hears_only(self, room: Room, *texts: str) -> None:
        """It hears these in a room, and nothing between them and one that is said last."""
        await room.post("last")
        assert await self.hears(len(texts) + 1) == [*texts, "last"]


def ear_of(lab: Lab, rooms: Any = "*", name: str = "ear") -> Ear:
    ear = Ear()
    lab.on_message(rooms, name)(ear)
    return ear


async def log_of(room: Room) -> list[Event]:
    def read(conn: sa.Connection) -> list[Event]:
        found = find_room(conn, room.key)
        return [] if found is None else events_after(conn, found[0], 0)

    return await room.log.read(read)


# ── what is heard ──


async def test_who_spoke_where_and_what_is_told(lab: Lab, room: Room) -> None:
    ear = ear_of(lab)
    await room.post("hi", author="a")
    await room.post("from nobody")
    await room.announce("soon")
    where, member, message = await ear.heard.get()
    assert (where, str(message), message.is_repeat) == (room, "hi", False)
    assert member == (await room.members())[0]
    for text in ("from nobody", "soon"):
        where, member, message = await ear.heard.get()
        assert (member, message.content) == (None, text)


async def test_private_messages_are_heard_too(lab: Lab, room: Room) -> None:
    ear = ear_of(lab)
    await room.post("psst", author="a", audience=["b"])
    _, member, message = await ear.heard.get()
    assert member is not None and (member.id, message.audience) == ("a", ("b",))


async def test_who_was_removed_meanwhile_is_a_member_still(lab: Lab, room: Room) -> None:
    ear = ear_of(lab)
    await room.post("hi", author="a")
    await room.remove_member("a")
    await room.post("bye")
    assert [(await ear.heard.get())[1] is None for _ in range(2)] == [False, True]


async def test_it_begins_with_what_is_said_from_now_on(lab: Lab, room: Room) -> None:
    await room.post("before")
    ear = ear_of(lab)
    await ear.hears_only(room)


async def test_rooms_that_are_made_later_are_heard_from_their_first_message(lab: Lab) -> None:
    ear = ear_of(lab)
    for n in range(3):
        await lab.room(f"new-{n}").post(f"{n}")
    assert sorted(await ear.hears(3)) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("rooms", "texts"),
    [
        ("*", "a1 a2 b1 b2 c"),
        ("group-1", "a1 b1"),
        ("group-*", "a1 a2 b1 b2"),
        (["group-2", "c?"], "a2 b2"),
        (["group-2", "c"], "a2 b2 c"),
        ([], None),
    ],
    ids=str,
)
async def test_rooms_are_named_by_ids_and_globs_in_any_study(
    lab: Lab, rooms: Any, texts: str | None
) -> None:
    made = {f"{study}{n}": lab.room(f"group-{n}", study=study) for study in "ab" for n in (1, 2)}
    made["c"] = await lab.create_room("c", study="c")
    await made["a1"].create()
    if texts is None:
        with pytest.raises(ValueError, match="rooms"):
            lab.on_message(rooms)
        return
    ear, last = ear_of(lab, rooms), ear_of(lab, name="all")
    for text, where in made.items():
        await where.post(text)
    await last.hears(5)
    assert sorted(await ear.hears(len(texts.split()))) == texts.split()
    assert ear.heard.empty()


async def test_a_room_is_that_room_only(lab: Lab, room: Room) -> None:
    ear, one, two = Ear(), ear_of(lab, room, "one"), ear_of(lab, [room], "two")
    room.on_message(ear, name="ear")
    await lab.room("r", study="other").post("elsewhere")
    for each in (ear, one, two):
        await each.hears_only(room)
        await each.hears(0)
        assert (await room.messages())[-1].content == "last"
        for other in {ear, one, two} - {each}:
            await other.hears()


async def test_the_same_name_in_two_rooms_is_two_callbacks(lab: Lab, room: Room) -> None:
    other = await lab.create_room("other")
    ears = Ear(), Ear()
    for where, ear in zip((room, other), ears, strict=True):
        where.on_message(ear, name="reply")
    await room.post("here")
    await other.post("there")
    assert [await ear.hears() for ear in ears] == [["here"], ["there"]]


async def test_the_same_name_for_other_rooms_is_another_callback(lab: Lab) -> None:
    """And where both are for a room, the latest is called."""
    ears = [ear_of(lab, rooms) for rooms in ("a-*", "b-*", ["b-2", "c"])]
    for id in ("a-1", "b-1", "b-2", "c"):
        await lab.room(id).post(id)
    assert [sorted(await ear.hears(n)) for ear, n in zip(ears, (1, 1, 2), strict=True)] == [
        ["a-1"],
        ["b-1"],
        ["b-2", "c"],
    ]
    assert all(ear.heard.empty() for ear in ears)


async def test_a_stream_is_heard_once_when_it_has_ended(lab: Lab, room: Room) -> None:
    ear = ear_of(lab)
    speaker = await RoomStream.open(room, Post([]), lambda: None)
    assert speaker is not None
    await room.post("meanwhile")
    await speaker.append([("markdown", "all of it")])
    assert await ear.hears() == ["meanwhile"]
    await speaker.close("done")
    (_, _, said) = await asyncio.wait_for(ear.heard.get(), 20)
    assert said.content == "all of it"
    await room.submit(EndStream(said.seq, [("markdown", "part")], "interrupted"))
    await ear.hears_only(room)


async def test_a_stream_that_was_withheld_is_not_heard(lab: Lab, room: Room) -> None:
    ear = ear_of(lab)
    opened = await room.submit(Post([], is_live=True))
    await room.submit(EndStream(opened.events[0].seq, [], "withheld"))
    await ear.hears_only(room)


async def test_a_stream_whose_server_was_thought_dead_is_heard_once(lab: Lab, room: Room) -> None:
    ear = ear_of(lab)
    opened = await room.submit(Post([], is_live=True))
    seq = opened.events[0].seq
    await room.submit(EndStream(seq, [("text", "half")], "interrupted"))
    assert await ear.hears() == ["half"]
    await room.submit(EndStream(seq, [("text", "half and half")], "done"))
    await ear.hears_only(room)


# ── its own messages ──


async def test_what_it_posts_it_does_not_hear_and_others_do(lab: Lab, room: Room) -> None:
    heard: list[str] = []
    other = ear_of(lab, name="other")
    started: list[asyncio.Task[Message]] = []

    @lab.on_message(name="echo")
    async def echo(room: Room, member: Member | None, message: Message) -> None:
        heard.append(message.content)
        if message.content == "hi":
            await room.post("echo")
            await room.post("as a", author="a")
            started.append(asyncio.create_task(room.post("from a task")))
            speaker = await RoomStream.open(room, Post([]), lambda: None)
            assert speaker is not None
            await speaker.append([("text", "streamed")])
            await speaker.close("done")

    await room.post("hi")
    assert sorted(await other.hears(5)) == sorted(["hi", "echo", "as a", "from a task", "streamed"])
    await room.post("last")
    await other.hears()
    while "last" not in heard:
        await room.members()
    assert heard == ["hi", "last"]


async def test_what_it_posts_from_its_thread_is_its_own(lab: Lab, room: Room) -> None:
    other = ear_of(lab, name="other")
    heard: list[str] = []

    @lab.on_message(name="echo")
    def echo(room: Room, member: Member | None, message: Message) -> None:
        heard.append(message.content)
        asyncio.run(room.post(f"echo of {message}", id=f"echo-{message.seq}"))

    await room.post("1")
    await room.post("2")
    assert set(await other.hears(4)) == {"1", "2", "echo of 1", "echo of 2"}
    assert heard == ["1", "2"]


async def test_what_it_posts_from_where_its_context_is_lost_is_its_own(
    lab: Lab, room: Room
) -> None:
    other = ear_of(lab, name="other")
    heard: list[str] = []

    @lab.on_message(name="echo")
    async def echo(room: Room, member: Member | None, message: Message) -> None:
        heard.append(message.content)
        again = partial(asyncio.run, room.post(f"echo of {message}"))
        await asyncio.get_running_loop().run_in_executor(None, again)

    await room.post("1")
    await other.hears(2)
    await room.post("2")
    assert set(await other.hears(2)) == {"2", "echo of 2"}
    assert heard == ["1", "2"]


async def test_what_is_posted_to_a_room_that_another_was_given_is_ones_own(
    lab: Lab, room: Room
) -> None:
    given: asyncio.Queue[Room] = asyncio.Queue()
    heard: list[str] = []

    @lab.on_message(name="gives")
    async def gives(room: Room, member: Member | None, message: Message) -> None:
        if message.content == "hi":
            given.put_nowait(room)

    @lab.on_message(name="posts")
    async def posts(room: Room, member: Member | None, message: Message) -> None:
        heard.append(message.content)
        await (await given.get()).post("posted")

    other = ear_of(lab, name="other")
    for _ in range(2):
        await room.post("hi")
    assert sorted(await other.hears(4)) == ["hi", "hi", "posted", "posted"]
    assert heard == ["hi", "hi"]


async def test_whose_a_message_is_no_browser_is_shown(lab: Lab, room: Room) -> None:
    other = ear_of(lab, name="other")

    @lab.on_message(name="a-secret-name")
    async def echo(room: Room, member: Member | None, message: Message) -> None:
        await room.post("echo")

    await room.post("hi")
    await other.hears(2)
    said = next(event for event in await log_of(room) if event.data.get("cause"))
    assert said.data["cause"] == "a-secret-name"
    assert "a-secret-name" not in str(protocol.item(said, "seed")) and "cause" not in str(
        protocol.item(said, "seed")
    )
    assert "a-secret-name" not in json.dumps([m.as_dict() for m in await room.messages()])


# ── once, in order, and nobody waits ──


async def test_registered_again_it_is_replaced_and_runs_once(lab: Lab, room: Room) -> None:
    ears = [ear_of(lab) for _ in range(20)]
    await room.post("1")
    assert await ears[-1].hears() == ["1"]
    newer = ear_of(lab)
    await newer.hears_only(room)
    assert all(ear.heard.empty() for ear in ears)


async def test_what_it_is_at_is_done_with_though_it_is_registered_for_other_rooms_too(
    lab: Lab, room: Room
) -> None:
    heard: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
    go_on = asyncio.Event()

    @lab.on_message("r", name="ear")
    async def slow(room: Room, member: Member | None, message: Message) -> None:
        heard.put_nowait((message.content, message.is_repeat))
        await go_on.wait()

    await room.post("1")
    assert await heard.get() == ("1", False)
    await ear_of(lab, "other").hears_only(lab.room("other"))
    go_on.set()
    await room.post("2")
    async with asyncio.timeout(20):
        assert await heard.get() == ("2", False)


async def test_an_express_function_is_known_by_its_script_and_name(lab: Lab, room: Room) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    def script() -> None:
        @lab.on_message()
        async def note(room: Room, member: Member | None, message: Message) -> None:
            heard.put_nowait(message.content)

    for _ in range(20):
        script()
    for text in "12":
        await room.post(text)
    assert [await heard.get() for _ in range(2)] == ["1", "2"]


async def test_in_order_though_some_take_longer(lab: Lab, room: Room) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    @lab.on_message(name="slow")
    async def slow(room: Room, member: Member | None, message: Message) -> None:
        if int(message.content) % 7 == 0:
            await room.members()
        heard.put_nowait(message.content)

    await asyncio.gather(*(room.post(f"{n}") for n in range(100)))
    async with asyncio.timeout(30):
        assert [await heard.get() for _ in range(100)] == [f"{n}" for n in range(100)]


@pytest.mark.parametrize("is_async", [True, False])
async def test_fifty_rooms_do_not_wait_for_each_other(lab: Lab, is_async: bool) -> None:
    """Each is stuck until all are."""
    rooms = [await lab.create_room(f"r{n}") for n in range(50)]
    barrier, all_in = threading.Barrier(50), asyncio.Barrier(50)
    done: list[str] = []

    async def wait(room: Room, member: Member | None, message: Message) -> None:
        await all_in.wait()
        done.append(room.id)

    def block(room: Room, member: Member | None, message: Message) -> None:
        barrier.wait(20)
        done.append(room.id)

    lab.on_message(name="stuck")(wait if is_async else block)
    last = ear_of(lab, name="last")
    await asyncio.gather(*(room.post("go") for room in rooms))
    await last.hears(50)
    async with asyncio.timeout(20):
        while len(done) < 50:
            await rooms[0].members()
    assert sorted(done) == sorted(room.id for room in rooms)


async def test_one_that_blocks_its_thread_stops_nobody(lab: Lab, room: Room) -> None:
    go_on = threading.Event()
    began = asyncio.Event()
    loop = asyncio.get_running_loop()

    def block(room: Room, member: Member | None, message: Message) -> None:
        loop.call_soon_threadsafe(began.set)
        go_on.wait(20)

    lab.on_message(name="block")(block)
    ear = ear_of(lab)
    await room.post("1")
    await began.wait()
    await room.post("2")
    assert await ear.hears(2) == ["1", "2"]
    go_on.set()


async def test_one_that_blocks_everybody_is_logged(
    lab: Lab, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    done = asyncio.Event()

    @lab.on_message()
    async def block(room: Room, member: Member | None, message: Message) -> None:
        threading.Event().wait(BLOCKED + 0.05)
        done.set()

    await room.post("hi")
    await done.wait()
    while "blocked the whole server" not in caplog.text:
        await room.members()
    assert "the callback" in caplog.text and "block" in caplog.text


# ── failing ──


@pytest.mark.parametrize("times", [1, 2])
async def test_one_that_fails_is_tried_again_and_told_so(
    lab: Lab, room: Room, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[tuple[str, bool]] = []
    done = asyncio.Event()

    @lab.on_message()
    async def fails(room: Room, member: Member | None, message: Message) -> None:
        tried.append((message.content, message.is_repeat))
        if message.content == "hard" and len(tried) <= times:
            raise ValueError("not yet")
        if message.content == "easy":
            done.set()

    await room.post("hard")
    await room.post("easy")
    async with asyncio.timeout(20):
        await done.wait()
    assert tried == [("hard", False), *[("hard", True)] * times, ("easy", False)]
    assert caplog.text.count("ValueError: not yet") == times
    assert "passed_over" not in [event.kind for event in await log_of(room)]


async def test_one_that_always_fails_passes_over_and_the_record_says_so(
    lab: Lab, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[str] = []
    done = asyncio.Event()

    def fails(room: Room, member: Member | None, message: Message) -> None:
        tried.append(message.content)
        match message.content:
            case "exit":
                raise SystemExit("\ud800")
            case "stop":
                next(iter(()))
            case "good":
                room_loop.call_soon_threadsafe(done.set)

    room_loop = asyncio.get_running_loop()
    lab.on_message(name="fails")(fails)
    others = [await lab.create_room(id) for id in ("exit", "stop")]
    said = [await where.post(where.id) for where in others]
    for where in others:
        await where.post("good")
        done.clear()
    async with asyncio.timeout(20):
        while sum(text == "good" for text in tried) < 2:
            await done.wait()
            done.clear()
    for where, message in zip(others, said, strict=True):
        assert tried.count(where.id) == TRIES
        (over,) = [event for event in await log_of(where) if event.kind == "passed_over"]
        assert (over.data["callback"], over.data["of"]) == ("fails", message.seq)
        assert over.data["tries"] == TRIES and over.data["error"].startswith("RuntimeError")
        assert protocol.item(over, "seed") is None
    assert caplog.text.count("passes over message") == 2


async def test_it_is_passed_over_once_in_the_record(lab: Lab, room: Room) -> None:
    for _ in range(2):
        await room.submit(PassOver("name", 3, TRIES, "ValueError"))
    assert [event.kind for event in await log_of(room)].count("passed_over") == 1
    with pytest.raises(ValueError, match="kept for the log"):
        await room.post("hi", id="passed_over:4:name")


@pytest.mark.parametrize("what", ["waits for what was", "raises it", "cancels itself"])
async def test_one_that_is_cancelled_from_inside_has_failed(
    lab: Lab, room: Room, what: str
) -> None:
    tried: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()

    @lab.on_message()
    async def cancelled(room: Room, member: Member | None, message: Message) -> None:
        tried.put_nowait((message.content, message.is_repeat))
        own = asyncio.current_task()
        assert own is not None
        if message.content == "fine" or message.is_repeat:
            return
        if what == "raises it":
            raise asyncio.CancelledError
        for_ever = asyncio.create_task(asyncio.Event().wait())
        (own if what == "cancels itself" else for_ever).cancel()
        await for_ever

    for text, is_repeat in (("fine", False), ("hi", False), ("hi", True)):
        if not is_repeat:
            await room.post(text)
        async with asyncio.timeout(20):
            assert await tried.get() == (text, is_repeat)
            while _scheduler(lab)._rung.is_set():  # nothing else brings it back
                await room.members()


class Odd(Exception):
    """One that says nothing of itself."""

    def __str__(self) -> str:
        raise self


async def test_whatever_it_fails_with_it_is_passed_over(lab: Lab, room: Room) -> None:
    done = asyncio.Event()

    @lab.on_message(name="odd")
    async def odd(room: Room, member: Member | None, message: Message) -> None:
        if message.content == "hi":
            raise Odd
        done.set()

    await room.post("hi")
    await room.post("fine")
    async with asyncio.timeout(20):
        await done.wait()
    (over,) = [event for event in await log_of(room) if event.kind == "passed_over"]
    assert "Odd" in over.data["error"] and over.data["tries"] == TRIES


async def test_it_waits_for_a_locked_database_and_goes_on(
    lab: Lab, room: Room, sqlite_file: Path
) -> None:
    ear = ear_of(lab)
    began, go_on = asyncio.Event(), asyncio.Event()

    @lab.on_message(name="holds")
    async def holds(room: Room, member: Member | None, message: Message) -> None:
        began.set()
        await go_on.wait()

    await room.post("1")
    await began.wait()
    await ear.hears()
    lock = sqlite3.connect(sqlite_file, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    go_on.set()
    with pytest.raises(Exception, match="store_busy"):
        await room.post("refused")  # longer than a commit waits
    lock.rollback()
    lock.close()
    await ear.hears_only(room)


# ── restarts, and other processes ──


def again(lab: Lab) -> Lab:
    """The same database through connections of their own, as in another process."""
    other = Lab(lab.url)
    other._log = Log(parse(lab.url))
    return other


async def test_after_a_restart_it_goes_on_with_the_first_unhandled_message(
    lab: Lab, reopen: Lab, room: Room
) -> None:
    first = ear_of(lab, "*", "first")
    began = asyncio.Event()

    @lab.on_message(name="ear")
    async def stuck(room: Room, member: Member | None, message: Message) -> None:
        if message.content != "0":
            began.set()
            await asyncio.Event().wait()

    for n in range(4):
        await room.post(f"{n}")
    await began.wait()
    await first.hears(4)
    await _scheduler(lab).stop()  # the same as a server that is told to end
    await room.post("4")
    ear = ear_of(reopen, "*", "ear")
    heard = [await asyncio.wait_for(ear.heard.get(), 20) for _ in range(4)]
    assert [str(message) for _, _, message in heard] == ["1", "2", "3", "4"]
    assert [message.is_repeat for _, _, message in heard] == [True, False, False, False]


async def test_what_was_not_begun_when_its_server_ended_is_not_said_to_be_a_repeat(
    lab: Lab, reopen: Lab, room: Room
) -> None:
    """Nor does the next server wait until the promise of this one has run out."""
    await ear_of(lab).hears_only(room)
    callbacks = _scheduler(lab)
    while callbacks._workers:
        await room.members()
    begun = asyncio.ensure_future(room.post("1"))
    while not callbacks._workers:
        await checkpoint()
    await checkpoint()  # it has asked the writer which message is next, and was not told yet
    await callbacks.stop()
    await begun
    ear = ear_of(reopen)
    async with asyncio.timeout(LEASE / 2e6):
        _, _, message = await ear.heard.get()
    assert (message.content, message.is_repeat) == ("1", False)


async def test_a_server_that_is_told_to_end_again_and_again_passes_nothing_over(
    lab: Lab, room: Room
) -> None:
    """As one that is started anew whenever its app is saved, while a bot waits for a silence."""
    began: asyncio.Queue[bool] = asyncio.Queue()

    @lab.on_message(name="ear")
    async def stuck(room: Room, member: Member | None, message: Message) -> None:
        began.put_nowait(message.is_repeat)
        await asyncio.Event().wait()

    await room.post("1")
    callbacks = _scheduler(lab)
    for n in range(TRIES + 2):
        callbacks.start()
        async with asyncio.timeout(20):
            assert await began.get() == (n > 0)
        await callbacks.stop()
    ear = ear_of(lab)
    callbacks.start()
    assert await ear.hears() == ["1"]
    assert not [event for event in await log_of(room) if event.kind == "passed_over"]


async def test_who_died_before_the_clock_was_set_back_is_not_waited_for_until_then(
    lab: Lab, reopen: Lab, room: Room
) -> None:
    """It is given the time that it would have now; who lives would promise anew in that time."""
    await ear_of(lab).hears_only(room)
    await _scheduler(lab).stop()
    await room.post("1")
    dead = Cursor("ear", 0, room.key, "a server that is gone")
    await room.log.write(lambda conn, now: advance(conn, now + HOUR, dead))
    began = time.monotonic()
    ear = ear_of(reopen)
    async with asyncio.timeout(LEASE / 1e6 + 10):
        _, _, message = await ear.heard.get()
    assert (message.content, message.is_repeat) == ("1", True)
    assert time.monotonic() - began > LEASE / 1e6 - 1


async def test_a_room_made_while_nobody_listened_is_heard_from_its_first_message(
    lab: Lab, reopen: Lab, room: Room
) -> None:
    await ear_of(lab).hears_only(room)
    await _scheduler(lab).stop()
    await reopen.room("new").post("1")
    await room.post("2")
    ear = ear_of(reopen)
    assert sorted(await ear.hears(2)) == ["1", "2"]


async def test_one_message_is_for_one_process_only(lab: Lab, reopen: Lab, room: Room) -> None:
    rooms = [room, await lab.create_room("r2"), await lab.create_room("r3")]
    ears = [ear_of(each) for each in (lab, reopen)]
    heard: list[str] = []

    async def collect(ear: Ear) -> None:
        while True:
            heard.extend(await ear.hears())

    collecting = [asyncio.create_task(collect(ear)) for ear in ears]
    posts = [
        each.room(room.id, study=room.study).post(f"{room.id}-{n}")
        for n in range(20)
        for each in (lab, reopen)
        for room in rooms
    ]
    await asyncio.gather(*posts)
    async with asyncio.timeout(30):
        while len(heard) < len(posts):
            await room.members()
    for each in rooms:
        await each.post("last")
    async with asyncio.timeout(30):
        while heard.count("last") < len(rooms):
            await room.members()
    for each in collecting:
        each.cancel()
    assert len(heard) == len(posts) + len(rooms)
    assert all(heard.count(text) == 2 for text in heard if text != "last")


async def test_what_a_process_without_callbacks_says_is_heard(
    lab: Lab, reopen: Lab, room: Room
) -> None:
    ear = ear_of(lab)
    await ear.hears_only(room)  # it is registered by now, also as others see it
    await reopen.room(room.id, study=room.study).post("from elsewhere")
    assert await ear.hears() == ["from elsewhere"]
    await reopen.room("new").post("first")
    assert await ear.hears() == ["first"]


async def test_a_look_at_the_log_that_had_to_wait_does_not_put_off_the_next(
    lab: Lab, reopen: Lab, room: Room
) -> None:
    """As where the machine is busy with other work: what counts is what looking costs."""
    ear = ear_of(lab)
    await ear.hears_only(room)
    begun = threading.Semaphore(0)

    def read_long(conn: sa.Connection) -> None:
        begun.release()
        threading.Event().wait(1.5)

    reading = [asyncio.create_task(lab.log.read(read_long)) for _ in range(READERS)]
    await asyncio.to_thread(lambda: [begun.acquire() for _ in reading])
    for text in ("while it waits", "afterwards"):
        await reopen.room(room.id, study=room.study).post(text)
        assert await ear.hears() == [text]
    await asyncio.gather(*reading)


# ── how it is registered, and what it costs ──


def nothing(room: object, member: object, message: object) -> None: ...


def never_runs(room: Room, member: Member | None, message: Message) -> Iterator[None]:
    yield


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda lab: lab.on_message(nothing), "@lab.on_message\\(\\)"),
        (lambda lab: lab.on_message(3), "text"),
        (lambda lab: lab.on_message([""]), "rooms"),
        (lambda lab: lab.on_message()(lambda room: None), "room, member, message"),
        (lambda lab: lab.on_message()("nothing"), "room, member, message"),
        (lambda lab: lab.on_message()(never_runs), "generator"),
        (lambda lab: lab.on_message()(partial(nothing)), "name"),
        (lambda lab: lab.add_bot("helper"), "bot must be a Bot"),
        (lambda lab: lab.room("r").add_bot(Bot), "bot must be a Bot"),
        (lambda lab: lab.on_message(name="")(nothing), "name"),
        (lambda lab: lab.room("r").on_message(Ear()), "name"),
        (lambda lab: lab.on_message(again(lab).room("r")), "another lab"),
    ],
)
async def test_a_wrong_argument_is_named(
    lab: Lab, wrong: Callable[[Lab], object], error: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=error):
        wrong(lab)


async def test_a_decorator_gives_the_function_back(lab: Lab, room: Room) -> None:
    assert lab.on_message()(nothing) is nothing
    assert room.on_message(nothing) is nothing
    assert room.on_message(name="x")(nothing) is nothing


async def test_two_functions_of_one_name_are_warned_of(
    lab: Lab, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    @lab.on_message()
    def _(room: object, member: object, message: object) -> None: ...

    assert not caplog.records

    @lab.on_message()
    def _(room: object, member: object, message: object) -> None: ...

    assert "takes the place of" in caplog.text


async def test_registering_without_a_loop_makes_no_database(url: str, sqlite_file: Path) -> None:
    lab = Lab(f"{url}-new")  # a server makes those that it has when it starts
    await asyncio.to_thread(lambda: lab.on_message()(nothing))
    await asyncio.to_thread(lambda: lab.room("r").on_message(nothing))
    assert not lab.log.exists


async def test_who_registers_before_there_is_a_loop_is_heard_by_then(
    url: str, sqlite_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lab = Lab(f"{url}-new")
    ear = Ear()
    await asyncio.to_thread(lambda: lab.on_message(name="ear")(ear))
    assert not lab.log.exists
    await lab.room("r").post("the first use starts it")
    assert await ear.hears() == ["the first use starts it"]
    later = Ear()
    await asyncio.to_thread(lambda: lab.on_message(name="ear")(later))
    await lab.room("r").post("replaced")
    assert await later.hears() == ["replaced"]


async def test_rooms_named_otherwise_begin_with_what_is_said_then(lab: Lab, room: Room) -> None:
    other = await lab.create_room("other")
    ear = ear_of(lab, "r")
    await other.post("too early")
    await ear.hears_only(room)
    ear = ear_of(lab, "*")
    await other.post("now")
    assert await ear.hears() == ["now"]


async def test_without_callbacks_nobody_hears_anything(lab: Lab, room: Room) -> None:
    await room.post("hi")
    assert not lab.log._writer.listeners.overhearing


async def test_a_room_where_all_is_handled_is_not_written_to(
    lab: Lab, room: Room, sqlite_file: Path
) -> None:
    """A message costs its callback two rows' changes, and one that is joined or closed none."""
    ear = ear_of(lab)
    await ear.hears_only(room)
    with sqlite3.connect(sqlite_file) as conn:

        def stands() -> Any:
            return conn.execute("SELECT done, begun, owner FROM callback_room").fetchall()

        async with asyncio.timeout(10):
            while stands()[0][2] is not None:
                await room.members()
        before = stands()
        await room.add_member("c")
        await room.close("x")
        await room.record("kind", 1)
        await room.members()
        assert stands() == before
    conn.close()


async def test_rules_of_the_room_hold_for_what_it_posts(lab: Lab) -> None:
    room = await lab.create_room("r", rules=Rules(max_length=10))
    await room.add_member("a")
    done = asyncio.Event()

    @lab.on_message()
    async def answer(room: Room, member: Member | None, message: Message) -> None:
        await room.post("longer than that")
        done.set()

    await room.post("hi", author="a")
    await done.wait()
    assert len(await room.messages()) == 2


async def test_nothing_of_it_is_left_running(lab: Lab, room: Room) -> None:
    await ear_of(lab).hears_only(room)
    before = {task for task in asyncio.all_tasks()}
    await _scheduler(lab).stop()
    assert not lab.log._writer.listeners.overhearing
    assert len(before) > len(asyncio.all_tasks())
