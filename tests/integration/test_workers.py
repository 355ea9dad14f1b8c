"""Workers that serve one lab: the session of a page is at one, its other sockets at another."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.callbacks.cursors import LEASE
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.room_peers import Open
from shiny_labchat.study.study import Study
from tests.support.bus_servers import BusServer
from tests.support.client import Browser, browser
from tests.support.experiment import CHOICE, STUDY
from tests.support.models.model import Model
from tests.support.page import Page, page
from tests.support.postgres import PostgresServer
from tests.support.reconnecting_client import agree, log_of, reconnecting_client, ticks
from tests.support.server import Server, shiny_run
from tests.support.visitor import visitor

APP = Path(__file__).parent / "apps" / "workers.py"
OUTPUTS = ("here", "said")
AFTER = "labchat_form_experiment_after"
"""The id of the element of the experiment's last form."""
TAKEN_OVER = LEASE / 1e6 + 10
"""Within how many seconds others go on with what a killed worker has left, on a busy machine."""
CLOSED_WITHIN = 40
"""Within how many seconds a room is closed whose time is over in five, on a busy machine."""
SHOWN = {"sqlite": 0.35, "postgresql+nats": 0.1}
"""How many seconds later the pieces of a stream are shown at another worker, at the median."""
over_a_bus = pytest.mark.parametrize("workers", ["postgresql+nats"], indirect=True)
_numbers = count(1)


@dataclass
class Workers:
    """
    Servers of one lab.

    Parameters
    ----------
    kind
        What they share: a file only, or PostgreSQL and NATS.
    lab
        The same lab in this process.
    all
        The servers.
    """

    kind: str
    lab: Lab
    all: list[Server]

    async def room(self, prefix: str = "room") -> Room:
        """A room of the test's own."""
        id = f"{prefix}-{next(_numbers)}"
        return await self.lab.create_room(id, study="tests", rules=Rules(rate=None))


@pytest.fixture(scope="module", params=["sqlite", "postgresql+nats"])
def workers(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Workers]:
    yield from serve(request, [shiny_run(APP)] * 2, tmp_path_factory.mktemp("workers"))


def serve(request: pytest.FixtureRequest, commands: list[list[str]], at: Path) -> Iterator[Workers]:
    """Run servers of a lab of their own."""
    bus = None
    if request.param == "sqlite":
        url = f"sqlite:///{at / 'lab.db'}"
    else:
        postgres: PostgresServer = request.getfixturevalue("postgres")
        url, bus = postgres.make(at.name, template="template1"), BusServer("nats")
        bus.start()
    address = None if bus is None else bus.url
    lab = Lab(url, bus=address)
    servers = [Server(command, url, bus=address) for command in commands]
    try:
        for server in servers:
            server.start()
        yield Workers(request.param, lab, servers)
    finally:
        for server in servers:
            server.stop()
        lab.log.close()
        if bus is not None:
            bus.stop()


@asynccontextmanager
async def come(
    workers: Workers, room: Room, *, session: int = 0, socket: int = 1, **options: Any
) -> AsyncIterator[tuple[Page, Browser]]:
    """A page whose Shiny session is at one worker, and its chat's socket at another."""
    port, search = workers.all[session].port, f"?room={room.id}"
    async with page(port, search=search, outputs=OUTPUTS, **options) as opened:
        raw = await opened.ticket()
        async with browser(workers.all[socket].port) as line:
            await line.hello(ticket=raw)
            yield opened, line


async def test_a_handler_hears_what_is_said_over_a_socket_of_another_worker(
    workers: Workers,
) -> None:
    room = await workers.room()
    async with (
        come(workers, room) as (ann, of_ann),
        come(workers, room, session=1, socket=0) as (_, of_bob),
    ):
        for n in range(3):
            await of_ann.says(f"a{n}")
            await of_bob.says(f"b{n}")
        said = [f"{who}{n}" for n in range(3) for who in "ab"]
        for line in (of_ann, of_bob):
            await line.until(lambda line=line: len(line.texts) == 12)
            assert [text for text in line.texts if "heard" not in text] == said
            heard = [text for text in line.texts if "heard" in text]
            assert sorted(heard) == sorted(f"heard {text}" for text in said)
        assert of_ann.texts == of_bob.texts
        await ann.until(lambda: ann.values.get("said") == " / ".join(of_ann.texts))


async def test_pieces_of_a_stream_are_soon_shown_at_another_worker(workers: Workers) -> None:
    """Soon after they are shown at the worker that runs it."""
    room = await workers.room()
    async with come(workers, room) as (_, there), come(workers, room, socket=0) as (_, here):
        await there.send("speak")
        lags = await asyncio.gather(lag_of(there), lag_of(here))
    elsewhere, own = (1000 * lag for lag in lags)
    print(f"{workers.kind}: a piece is shown after {elsewhere:.0f} ms, and {own:.0f} ms at its own")
    assert elsewhere - own < 1000 * SHOWN[workers.kind]


async def lag_of(line: Browser) -> float:
    """Read a stream to its end; the median of how old its pieces were, in seconds."""
    lags: list[float] = []

    def has_ended() -> bool:
        item = [*line.items.values()][-1] if line.items else {}
        new = re.findall(r"\d{9,}", line.texts[-1])[len(lags) :] if line.items else []
        lags.extend(time.time() - int(stamp) / 1e6 for stamp in new)
        return bool(lags) and "live" not in item

    await line.until(has_ended)
    assert len(lags) == 40
    return median(lags)


@over_a_bus
async def test_a_stream_is_stopped_over_a_socket_of_another_worker(workers: Workers) -> None:
    """By the person whom it answers; others may not stop it."""
    room = await workers.room()
    async with come(workers, room) as (_, ann), come(workers, room, socket=0) as (_, bob):
        await ann.says("go on")
        await ann.until(lambda: len(ann.texts) == 2 and len(ann.texts[-1]) > 40)
        await bob.until(lambda: len(bob.texts) == 2)
        await bob.tell(t="stop", id=bob.upto)
        await bob.settles()
        await ann.tell(t="stop", id=ann.upto)
        for line in (ann, bob):
            await line.until(lambda line=line: [*line.items.values()][-1].get("is") == "stopped")


@over_a_bus
async def test_people_are_counted_once_wherever_their_pages_are(workers: Workers) -> None:
    room = await workers.room()
    async with come(workers, room) as (ann, _):
        await ann.until(lambda: ann.values.get("here") == "1 here")
        async with (
            come(workers, room, session=1, socket=0, key=ann.browser) as (second, _),
            come(workers, room, session=1, socket=1) as (bob, _),
        ):
            for each in (ann, second, bob):
                await each.until(lambda each=each: each.values.get("here") == "2 here")
        await ann.until(lambda: ann.values.get("here") == "1 here")


# ── pages that change from worker to worker ──


async def test_a_message_is_handled_once_whichever_worker_has_the_session_of_its_page(
    workers: Workers,
) -> None:
    """Also where the page comes back to a worker that it had left, or that does not know yet."""
    room = await workers.room()
    async with come(workers, room, socket=0) as (first, line):
        await line.says("one")
        await line.sees("one", "heard one")
        lost = where(line)
        async with come(workers, room, session=1, before=first, lost=lost) as (second, line):
            await line.says("two")
            await line.sees("two", "heard two")
            lost = where(line)
    async with come(workers, room, socket=1, before=second, lost=lost) as (_, line):
        await line.says("three")
        await line.sees("three", "heard three")
        await line.says("four")
        await line.sees("four", "heard four")
        assert len(line.texts) == 8


def where(line: Browser) -> dict[str, Any]:
    """Where a page stands that loses its session."""
    return {"who": line.welcome["you"]["h"], "since": line.upto, "unsure": []}


@pytest.mark.parametrize("page_first", [True, False], ids=["page", "socket"])
async def test_what_was_sent_just_before_its_page_closed_is_handled_by_the_other_worker(
    workers: Workers, page_first: bool
) -> None:
    room = await workers.room()
    for n in range(5):
        async with come(workers, room) as (opened, line):
            await line.send(f"bye {n}")
            for socket in (opened.socket, line.socket)[:: 1 if page_first else -1]:
                await socket.close()
    said = await room_says(room, *(f"heard bye {n}" for n in range(5)))
    assert len(said) == 10


@over_a_bus
async def test_workers_ask_each_other_whether_a_page_is_open(workers: Workers) -> None:
    room = await workers.room()
    live = await Runtime.of(workers.lab.log).live.open(room.key)
    async with come(workers, room) as (opened, line):
        [page] = [f"{opened.id}/chat"]
        await line.says("hello")
        found = {await live.peers.ask_for_page(page) for _ in range(20)}
        assert found and Open() not in found and all(each.socket != each.session for each in found)
        await line.socket.close()
        while (await live.peers.ask_for_page(page)).socket:
            await live.catch_up()
        assert await live.peers.ask_for_page(page) == Open(session=True)
    assert await live.peers.ask_for_page("another") == Open()
    live.leave()


@pytest.fixture(scope="module", params=["sqlite", "postgresql+nats"])
def in_sessions(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Workers]:
    command = shiny_run(APP.with_name("in_sessions.py"))
    yield from serve(request, [command] * 2, tmp_path_factory.mktemp("in_sessions"))


async def test_a_socket_lands_at_a_worker_that_has_made_no_chat(in_sessions: Workers) -> None:
    room = await in_sessions.lab.create_room("page", study="tests")
    async with come(in_sessions, room) as (_, line):
        await line.says("hello")
        await line.sees("hello", "heard hello")


# ── a model ──


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with Model() as model:
        yield model


@pytest.fixture(scope="module", params=["sqlite", "postgresql+nats"])
def replying(
    request: pytest.FixtureRequest, tmp_path_factory: Any, model: Model
) -> Iterator[Workers]:
    os.environ["MODEL_URL"] = model.url
    try:
        command = shiny_run(APP.with_name("replies.py"))
        yield from serve(request, [command] * 2, tmp_path_factory.mktemp("replying"))
    finally:
        del os.environ["MODEL_URL"]


@pytest.fixture(params=["sqlite"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workers]:
    """Workers that open the database when a page comes."""
    command = shiny_run(APP.with_name("in_sessions.py"))
    yield from serve(request, [command] * 2, tmp_path)


async def test_no_message_is_handled_twice_by_a_worker_that_has_not_heard_of_others_yet(
    fresh: Workers,
) -> None:
    """It has the database open since a page came to it, to which the earlier worker still hears."""
    room = await fresh.lab.create_room("page", study="tests", rules=Rules(rate=None))
    async with come(fresh, room, socket=0) as (first, line):
        await line.says("one")
        await line.sees("one", "heard one")
        lost = where(line)
        async with come(fresh, room, session=1, before=first, lost=lost) as (_, line):
            for text in ("two", "three"):
                await line.says(text)
                await line.sees(f"heard {text}")
            async for _ in ticks(1, 3):  # the other worker has heard of it, too
                pass
            await line.settles()
            said = ["one", "two", "three"]
            assert sorted(line.texts) == sorted([*said, *(f"heard {text}" for text in said)])


async def test_those_who_ask_a_model_at_two_workers_are_answered_one_after_the_other(
    replying: Workers, model: Model
) -> None:
    """And each reply knows the earlier ones."""
    room = await replying.lab.create_room("replies", study="tests", rules=Rules(rate=None))
    model.calls.clear()
    async with (
        come(replying, room) as (_, ann),
        come(replying, room, session=1, socket=0) as (_, bob),
    ):
        for n in range(3):
            for line in (ann, bob):
                await line.send(f"[words 20] [rate 100] {n}")
        for line in (ann, bob):
            await line.until(lambda line=line: len(line.texts) == 12)
            await line.until(lambda line=line: not any("live" in i for i in line.items.values()))
        assert ann.texts == bob.texts
    known = [
        sum(len(text.split()) for role, text in call.messages if role == "assistant")
        for call in model.calls
    ]
    assert len({*known}) == 6 and known == sorted(known), known


# ── studies ──


@pytest.fixture(scope="module", params=["sqlite", "postgresql+nats"])
def experiment(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Workers]:
    os.environ["EXPERIMENT"] = json.dumps({"consent": "1", "within": 6})
    try:
        command = shiny_run(APP.with_name("experiment.py"))
        yield from serve(request, [command] * 2, tmp_path_factory.mktemp("experiment"))
    finally:
        del os.environ["EXPERIMENT"]


async def test_a_group_is_formed_and_goes_on_together_whose_pages_are_at_two_workers_each(
    experiment: Workers,
) -> None:
    """They consent, wait, choose in a form, wait at a barrier, and are paid once."""
    one, two = (server.port for server in experiment.all)
    async with AsyncExitStack() as stack:
        pages = [
            await stack.enter_async_context(visitor(port, sockets=other))
            for port, other in ((one, two), (two, one), (one, two), (two, one))
        ]
        for page in pages:
            await page.sees("consent")
            await page.does("consent", version="1", answers={})
        await asyncio.gather(*(page.until(lambda p=page: CHOICE in p.page) for page in pages))
        first, *rest = pages
        for page in rest:
            cid = await page.sends(CHOICE, choice="X")
            assert await page.is_stored(CHOICE, cid) == "stored"
        for page in rest:
            await page.until(lambda p=page: "All have chosen" in p.page)
        await first.sees("ended")  # came too late
        for page in rest:
            await page.sends(AFTER, why="so")
        await asyncio.gather(*(page.sees("ended") for page in rest))
    study = Study(STUDY, lab=experiment.lab)
    async with asyncio.timeout(TAKEN_OVER):
        while sum(bool(person.paid) for person in await study.people()) < 3:
            await experiment.lab.log.settled()


async def test_an_older_window_whose_session_and_sockets_are_apart_goes_on_no_more(
    experiment: Workers,
) -> None:
    """A page of the same person's has come at the other worker; what the app draws goes there."""
    one, two = (server.port for server in experiment.all)
    async with (
        visitor(one, sockets=two, search="?PID=same") as old,
        visitor(two, sockets=one, search="?PID=other") as other,
    ):
        for page in (old, other):
            await page.sees("consent")
            await page.does("consent", version="1", answers={})
        await old.until(lambda: CHOICE in old.page)
        async with visitor(two, sockets=one, search="?PID=same") as new:
            await new.until(lambda: CHOICE in new.page)
            await old.until(lambda: CHOICE not in old.page)
            await old.does("here")
            await old.until(lambda: CHOICE in old.page)
            await new.until(lambda: CHOICE not in new.page)


# ── what runs once ──


async def test_a_callback_of_a_killed_worker_goes_on_at_another(workers: Workers) -> None:
    room = await workers.room("called")
    async with come(workers, room, socket=0) as (_, _), come(workers, room, session=1) as (_, bob):
        await bob.says("one")
        await bob.until(lambda: "called with one" in bob.texts)
        await bob.says("hang up")
        await bob.until(lambda: any(text.startswith("hangs") for text in bob.texts))
        pid = int(next(text for text in bob.texts if text.startswith("hangs")).split()[1])
    [dies] = [server for server in workers.all if server.pid == pid]
    await asyncio.to_thread(dies.kill)
    try:
        await room.post("two", author=(await room.members())[-1])
        said = await room_says(room, "called with hang up again", "called with two")
    finally:
        await asyncio.to_thread(dies.start)
    assert [said.count(text) for text in ("called with one", "called with two")] == [1, 1]


async def test_a_bot_of_a_killed_worker_replies_once_at_another(workers: Workers) -> None:
    room = await workers.room("bots")
    async with come(workers, room) as (_, ann):
        await ann.says("hello")
        await ann.until(lambda: any(text.startswith("composes") for text in ann.texts))
        pid = int(next(text for text in ann.texts if text.startswith("composes")).split()[1])
    [dies] = [server for server in workers.all if server.pid == pid]
    await asyncio.to_thread(dies.kill)
    try:
        said = await room_says(room, "bot: hello")
    finally:
        await asyncio.to_thread(dies.start)
    assert said.count("bot: hello") == 1


async def test_the_time_of_a_room_ends_once_though_its_worker_was_killed(workers: Workers) -> None:
    """Nobody else has it open: another worker finds it."""
    room = await workers.room("timed")
    async with come(workers, room, socket=0) as (_, ann):
        await ann.says("begin")
        await ann.sees("begin", "heard begin")
        await asyncio.to_thread(workers.all[0].kill)
    try:
        async with asyncio.timeout(CLOSED_WITHIN):
            while (await room.state()).is_open:
                await workers.lab.log.settled()
    finally:
        await asyncio.to_thread(workers.all[0].start)
    kinds = [event.kind for event in await log_of(room)]
    assert [kinds.count(kind) for kind in ("started", "closed")] == [1, 1]


async def test_nothing_is_lost_or_done_twice_when_all_workers_are_exchanged_one_by_one(
    workers: Workers,
) -> None:
    """People go on at another worker; callbacks that were cut off say that they begin again."""
    room, over = await workers.room("called"), asyncio.Event()
    ports = [server.port for server in workers.all]
    async with AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(reconnecting_client(ports[n % 2], room, f"p{n}"))
            for n in range(4)
        ]

        async def talk() -> None:
            async for n in ticks(8, 10_000):
                if over.is_set():
                    return
                await people[n % 4].say(f"{n}")

        talking = asyncio.create_task(talk())
        for server in workers.all:
            other = next(port for port in ports if port != server.port)
            for each in people:
                each.port = other
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
        over.set()
        await talking
        said = [text for each in people for text in each.said.values()]
        stored: list[str] = []
        async with asyncio.timeout(TAKEN_OVER):
            while {text.split()[2] for text in stored if "called" in text} != {*said}:
                stored = [message.content for message in await room.messages()]
        assert len({*stored}) == len(stored)
        await agree(people, room)
    print(f"{workers.kind}: {len(said)} messages")


# ── the workers of one server ──


@pytest.fixture(scope="module", params=["sqlite", "postgresql+nats"])
def four(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Workers]:
    """Four workers of uvicorn's at one port: each connection is with any of them."""
    app = "tests.integration.apps.workers:app"
    command = ["-m", "uvicorn", app, "--workers", "4", "--timeout-worker-healthcheck", "60"]
    yield from serve(request, [command], tmp_path_factory.mktemp("four"))


async def test_pages_at_any_of_four_workers_are_together_also_when_one_is_killed(
    four: Workers,
) -> None:
    room = await four.room("called")
    async with AsyncExitStack() as stack:
        pages = [
            await stack.enter_async_context(come(four, room, session=0, socket=0)) for _ in range(6)
        ]
        if four.kind != "sqlite":
            for page, _ in pages:
                await page.until(lambda page=page: page.values.get("here") == "6 here")
        for n, (_, line) in enumerate(pages):
            await line.says(f"say {n}")
        wanted = {f"{what} say {n}" for n in range(6) for what in ("heard", "called with")}
        for _, line in pages:
            await line.until(lambda line=line: wanted <= {*line.texts}, TAKEN_OVER)
            assert len(line.texts) == 18
        assert len({tuple(line.texts) for _, line in pages}) == 1
    await room.post("hang up", author=(await room.members())[0])
    [hangs] = [text for text in await says_what(room, "hangs") if text.startswith("hangs")]
    os.kill(int(hangs.split()[1]), signal.SIGKILL)
    said = await room_says(room, "called with hang up again")
    assert len({*said}) == len(said)


async def says_what(room: Room, begins: str) -> list[str]:
    """Wait until something was said that begins with this; gives all that was."""
    said: list[str] = []
    async with asyncio.timeout(TAKEN_OVER):
        while not any(text.startswith(begins) for text in said):
            said = [message.content for message in await room.messages()]
    return said


async def room_says(room: Room, *texts: str) -> list[str]:
    """Wait until these were said; gives all that was."""
    said: list[str] = []
    try:
        async with asyncio.timeout(TAKEN_OVER):
            while not set(texts) <= set(said):
                said = [message.content for message in await room.messages()]
    except TimeoutError:
        raise AssertionError(f"{texts} are not among {said}") from None
    return said
