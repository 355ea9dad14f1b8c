"""What every bus holds, with real servers: alone, as they fail, and under a lab."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from statistics import median
from time import monotonic
from typing import Any

import pytest

from shiny_labchat import Lab, Room
from shiny_labchat.bus import Bus, Subscriber, transport_for
from shiny_labchat.bus.messages import topic_of
from shiny_labchat.domain.commands import Post, Say
from shiny_labchat.domain.events import LogKey
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.live.rooms import LiveRooms
from tests.support.backend import FreshUrl
from tests.support.bus_listener import lab as lab_of_listeners
from tests.support.bus_servers import KINDS, BusServer, lasts

from . import elsewhere
from .buses import eventually, live, log_of, other_process, seqs_in, unreliable_bus

# Each test names the bus that it is about, of labs that would have none.
pytestmark = pytest.mark.usefixtures("sqlite_only", "unsaid_bus")

AFTER = 2.0
"""Within how many seconds everybody has everything, whatever the bus does."""
OUTAGE = 5.0
"""How long a server is away, in seconds."""
TOPIC = "room.x"


@pytest.fixture(scope="session", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[BusServer]:
    """A server of each kind; a test that ends it starts it again."""
    server = BusServer(request.param)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def buses(server: BusServer) -> Iterator[Callable[..., Bus]]:
    """Makes buses, each as of another process."""
    made: list[Bus] = []

    def make(name: str = "labchat-tests") -> Bus:
        async def lab() -> str:
            return name

        made.append(Bus(server.kind, transport_for(server.url), lab))
        return made[-1]

    yield make
    for bus in made:
        bus.close()


@pytest.fixture
def two(lab: Lab, server: BusServer) -> Iterator[tuple[Lab, Lab]]:
    """A lab, as two processes have it, on one bus."""
    both = lab, other_process(lab)
    for each in both:
        Runtime.of(each.log).use_bus(server.url)
    yield both
    both[1].log.close()


def hearing(bus: Bus, topic: str = TOPIC) -> tuple[Subscriber, list[Any]]:
    """A subscriber of a topic, and a list of what it hears."""
    heard: list[Any] = []
    subscriber = bus.subscriber(lambda topic, sender, said: heard.append(said), lambda is_up: None)
    subscriber.subscribe(topic)
    return subscriber, heard


async def work(*buses: Bus) -> None:
    await eventually(lambda: all(bus.is_up for bus in buses))


async def says_until_heard(teller: Subscriber, said: str, *heard: list[Any]) -> None:
    """Publish something again and again until all have heard it: nothing is kept for anybody."""
    async with asyncio.timeout(60):
        while not all(said in some for some in heard):
            teller.publish(TOPIC, said)
            await lasts(0.05)


# ── alone ──


async def test_all_others_who_have_subscribed_hear_what_is_told(buses: Callable[..., Bus]) -> None:
    first, second, third = buses(), buses(), buses()
    (teller, own), (_, heard), (_, another) = hearing(first), hearing(second), hearing(third, "y")
    await work(first, second, third)
    await says_until_heard(teller, "ready", heard)
    for n in range(500):
        teller.publish(TOPIC, {"n": n, "text": "é\n\u0000\u2028'\"" * 20})
    await eventually(lambda: len([said for said in heard if said != "ready"]) == 500)
    assert [said["n"] for said in heard if said != "ready"] == [*range(500)]
    assert heard[-1]["text"] == "é\n\u0000\u2028'\"" * 20
    assert own == [] and another == []


async def test_who_subscribes_no_more_hears_no_more(buses: Callable[..., Bus]) -> None:
    first, second, third = buses(), buses(), buses()
    (teller, _), (subscriber, heard), (_, other) = hearing(first), hearing(second), hearing(third)
    await work(first, second, third)
    await says_until_heard(teller, "ready", heard, other)
    subscriber.unsubscribe(TOPIC)
    before = len(heard)
    await says_until_heard(teller, "later", other)
    assert "later" not in heard[before:]
    subscriber.subscribe(TOPIC)
    await says_until_heard(teller, "again", heard)
    assert heard.count("again") <= other.count("again") + 1, "nothing comes twice to who returns"


async def test_a_process_hears_the_bells_of_its_own_rooms_or_of_all(
    server: BusServer, buses: Callable[..., Bus]
) -> None:
    """PostgreSQL hands on everything to everybody; so all hear of all there."""
    own, another = LogKey("s", "own"), LogKey("s", "another")
    first, second = buses(), buses()
    rung: list[LogKey] = []
    first.attach(rung.extend, lambda is_up: None)
    first.want_bells(own)
    first.start()
    second.start()
    await work(first, second)
    await _rings_until(second, another, own, lambda: own in rung)
    assert (another in rung) == (server.kind == "postgresql")
    first.want_bells(None)
    await _rings_until(second, another, own, lambda: another in rung)
    first.want_no_bells(None)
    await eventually(lambda: not first.topics_to_tell)
    for _ in range(2):  # the first time, what was on its way may still come
        before = len(rung)
        await _rings_until(second, another, own, lambda before=before: own in rung[before:])
    assert (another in rung[before:]) == (server.kind == "postgresql")


async def _rings_until(bus: Bus, first: LogKey, second: LogKey, is_so: Callable[[], bool]) -> None:
    """Ring for two rooms, one after the other, again and again."""
    async with asyncio.timeout(60):
        while not is_so():
            for room in (first, second):
                bus.ring({room: 1})
                await lasts(0.05)


async def test_a_room_that_is_wanted_for_two_reasons_is_heard_of_until_both_have_ended(
    buses: Callable[..., Bus],
) -> None:
    key = LogKey("s", "r")
    first, second = buses(), buses()
    subscriber, heard = hearing(first, topic_of(key))
    rung: list[LogKey] = []
    first.attach(rung.extend, lambda is_up: None)
    first.want_bells(key)
    second.start()
    await work(first, second)
    await _rings_until(second, key, key, lambda: key in rung)
    assert heard == []
    subscriber.unsubscribe(topic_of(key))
    before = len(rung)
    await _rings_until(second, key, key, lambda: key in rung[before:])


async def test_two_labs_on_one_server_do_not_hear_each_other(buses: Callable[..., Bus]) -> None:
    ours, same, theirs = buses(), buses(), buses("labchat-another")
    (teller, _), (_, heard), (_, other) = hearing(ours), hearing(same), hearing(theirs)
    rung: list[LogKey] = []
    theirs.attach(rung.extend, lambda is_up: None)
    for room in (None, LogKey("s", "r")):
        theirs.want_bells(room)
    await work(ours, same, theirs)
    ours.ring({LogKey("s", "r"): 1})
    await says_until_heard(teller, "secret", heard)
    assert other == [] and rung == []


async def test_bells_of_many_rooms_are_heard(buses: Callable[..., Bus]) -> None:
    ringer, hears = buses(), buses()
    rung: set[LogKey] = set()
    hears.attach(rung.update, lambda is_up: None)
    hears.want_bells(None)
    ringer.start()
    hears.start()
    await work(ringer, hears)
    rooms = {LogKey("ein Name " * 10, f"{n}", "lobby"): n for n in range(1, 500)}
    ringer.ring(rooms)
    await eventually(lambda: rooms.keys() <= rung)


async def test_what_waits_is_sent_before_the_end(buses: Callable[..., Bus]) -> None:
    hears, short = buses(), buses()
    rung: set[LogKey] = set()
    hears.attach(rung.update, lambda is_up: None)
    hears.want_bells(None)
    hears.start()
    await work(hears)
    short.ring({LogKey("s", "r"): 1})
    await asyncio.to_thread(short.close)
    await eventually(lambda: LogKey("s", "r") in rung)


# ── as they fail ──


async def test_a_server_that_was_killed_is_left_and_found_again(
    server: BusServer, buses: Callable[..., Bus], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first, second = buses(), buses()
    (teller, _), (_, heard) = hearing(first), hearing(second)
    await work(first, second)
    await asyncio.to_thread(server.kill)
    try:
        await eventually(lambda: not (first.is_up or second.is_up))
        teller.publish(TOPIC, "lost")
        await lasts(OUTAGE)
    finally:
        await asyncio.to_thread(server.start)
    await work(first, second)
    await says_until_heard(teller, "back", heard)
    assert "lost" not in heard
    said = [record.getMessage() for record in caplog.records if record.name == "shiny_labchat"]
    assert len([line for line in said if "does not work" in line]) <= 4, said
    assert len([line for line in said if "works again" in line]) == 2, said


async def test_a_server_that_hangs_is_left_and_found_again(
    server: BusServer, buses: Callable[..., Bus]
) -> None:
    first, second = buses(), buses()
    (teller, _), (_, heard) = hearing(first), hearing(second)
    await work(first, second)
    server.suspend()
    try:
        await eventually(lambda: not (first.is_up or second.is_up))
    finally:
        server.go_on()
    await work(first, second)
    await says_until_heard(teller, "back", heard)


async def test_a_process_that_does_not_read_delays_nobody_and_comes_back(
    server: BusServer, buses: Callable[..., Bus]
) -> None:
    first, second = buses(), buses()
    (teller, _), (_, heard) = hearing(first), hearing(second)
    stopped = elsewhere.Process("-m", "tests.support.bus_listener", server.url, TOPIC)
    try:
        await work(first, second)
        assert await asyncio.to_thread(stopped.line) == "up\n"
        stopped.signal(signal.SIGSTOP)
        for n in range(2_000):
            teller.publish(TOPIC, f"{n} {'x' * 6_000}")
            if n % 50 == 0:
                await lasts(0.02)
        await says_until_heard(teller, "after", heard)
        assert first.is_up and second.is_up
        stopped.signal(signal.SIGCONT)

        async def hears_again() -> None:
            while await asyncio.to_thread(stopped.line) != "once more\n":
                pass

        async with asyncio.timeout(60):
            waiting = asyncio.create_task(hears_again())
            while not waiting.done():
                teller.publish(TOPIC, "once more")
                await lasts(0.2)
    finally:
        stopped.signal(signal.SIGCONT)
        await asyncio.to_thread(stopped.kill)


@pytest.mark.parametrize("scheme", KINDS)
async def test_a_bus_that_is_not_there_is_said_once_without_its_password(
    scheme: str, caplog: pytest.LogCaptureFixture, lab: Lab, room: Room
) -> None:
    Runtime.of(lab.log).use_bus(f"{scheme}://ann:secret@127.0.0.1:1/x")
    await room.post("hi")
    await eventually(lambda: "does not work" in caplog.text)
    await lasts(1.0)
    assert caplog.text.count("does not work") == 1
    assert "secret" not in caplog.text


# ── under a lab ──


async def say(room: Room, lab: Lab, member: str, count: int, start: int = 0) -> None:
    """Say things at one process of a lab."""
    for n in range(start, start + count):
        await lab.log.submit(room.key, Say(member, f"{member} {n}", f"{member}{n}", "page"))


async def test_a_bell_comes_before_a_look(two: tuple[Lab, Lab], room: Room) -> None:
    here, there = two
    seen = seqs_in(await live(there, room))
    await room.post("first")
    await eventually(lambda: all(each.log.bus and each.log.bus.is_up for each in two))
    took: list[float] = []
    for _ in range(15):
        await lasts(0.05)
        began, before = monotonic(), len(seen)
        await here.log.submit(room.key, Post([("text", "hi")]))
        await eventually(lambda before=before: len(seen) > before)
        took.append(monotonic() - began)
    assert median(took) < 0.25, "a look alone takes half a second on the average"


@pytest.mark.parametrize("fault", ["bad", "outage", "restart"])
async def test_all_see_all_whatever_the_bus_does(
    lab: Lab, room: Room, server: BusServer, fault: str
) -> None:
    both = lab, other_process(lab)
    for seed, each in enumerate(both):
        if fault == "bad":
            unreliable_bus(each, transport_for(server.url), seed)
        else:
            Runtime.of(each.log).use_bus(server.url)
    seen = [seqs_in(await live(each, room)) for each in both]
    since = len(await log_of(room))
    try:
        await room.post("first")
        await eventually(lambda: all(each.log.bus and each.log.bus.is_up for each in both))
        talking = asyncio.gather(say(room, both[0], "a", 100), say(room, both[1], "b", 100))
        await lasts(0.1)
        if fault != "bad":
            await asyncio.to_thread(server.kill)
        await talking
        if fault == "outage":
            await all_see_all(room, since, seen)  # while it is away
            await lasts(OUTAGE)
        if fault != "bad":
            await asyncio.to_thread(server.start)
        await asyncio.gather(say(room, both[0], "a", 20, 100), say(room, both[1], "b", 20, 100))
        await all_see_all(room, since, seen)
    finally:
        both[1].log.close()


async def all_see_all(room: Room, since: int, seen: list[list[int]]) -> None:
    wanted = [event.seq for event in await log_of(room)][since:]
    await eventually(lambda: all(some == wanted for some in seen), AFTER)


@asynccontextmanager
async def opened(two: tuple[Lab, Lab], room: Room) -> AsyncIterator[tuple[LiveRoom, LiveRoom]]:
    """The room, open at both processes, which have a bus."""
    rooms = await live(two[0], room), await live(two[1], room)
    await eventually(lambda: all(each.log.bus and each.log.bus.is_up for each in two))
    yield rooms
    for each in rooms:
        each.leave()


def present(room: LiveRoom) -> set[str]:
    return {each.member for each in room.presence.present()}


def typing(room: LiveRoom) -> set[str]:
    return {*room.presence._typing}


async def test_who_is_here_is_counted_once_over_processes(two: tuple[Lab, Lab], room: Room) -> None:
    async with opened(two, room) as (here, there):
        here.presence.come("a")
        there.presence.come("a")
        there.presence.come("b")
        await eventually(lambda: present(here) == present(there) == {"a", "b"})
        here.presence.go("a")
        there.presence.go("b")
        await eventually(lambda: present(here) == present(there) == {"a"})


async def test_who_was_here_before_a_process_has_opened_the_room_is_here(
    two: tuple[Lab, Lab], room: Room
) -> None:
    first = await live(two[0], room)
    first.presence.come("a")
    await eventually(lambda: two[0].log.bus and two[0].log.bus.is_up)
    async with opened(two, room) as (_, there):
        await eventually(lambda: present(there) == {"a"})


async def test_nobody_is_left_of_a_process_that_has_ended(two: tuple[Lab, Lab], room: Room) -> None:
    async with opened(two, room) as (here, there):
        there.presence.come("b")
        await eventually(lambda: present(here) == {"b"})
        assert two[1].log.bus is not None
        await asyncio.to_thread(two[1].log.bus.close)  # it says nothing any more
        await eventually(lambda: present(here) == set())


async def test_who_types_at_one_process_is_seen_at_the_other_until_they_have_sent(
    two: tuple[Lab, Lab], room: Room
) -> None:
    async with opened(two, room) as (here, there):
        await eventually(lambda: _types(here, "a") and typing(there) == {"a"})
        here.presence.send("a")
        await two[0].log.submit(room.key, Say("a", "hi", "1", "page"))
        await eventually(lambda: typing(here) == typing(there) == set())


def _types(room: LiveRoom, member: str) -> bool:
    room.presence.type(member)
    return True


async def test_a_stream_grows_and_is_stopped_at_another_process(
    two: tuple[Lab, Lab], room: Room
) -> None:
    async with opened(two, room) as (here, there):
        stream = await RoomStream.open(room, Post([]), None)
        assert stream is not None
        await eventually(lambda: stream.seq in there.streams.open)
        foreign = there.streams.open[stream.seq]
        await stream.append([("text", "so much")])
        await eventually(lambda: foreign.shown.pieces > 0)
        there.stop_stream(stream.seq)
        await eventually(lambda: not stream.is_open)
        await eventually(lambda: stream.seq not in there.streams.open)
        ending = (await log_of(room))[-1]
        assert ending.kind == "streamed" and ending.data["is"] == "stopped"
        assert here.streams.open == {}


async def test_labs_of_one_database_have_one_bus(lab: Lab, server: BusServer) -> None:
    with_bus = Lab(lab.url, bus=server.url)
    assert Lab(lab.url).log.bus is with_bus.log.bus is not None
    assert Lab(lab.url, bus=server.url).log.bus is with_bus.log.bus
    with pytest.raises(ValueError, match="use another one already"):
        Lab(lab.url, bus="none")


async def test_the_name_of_a_lab_on_a_bus_is_the_same_in_all_of_its_processes(
    two: tuple[Lab, Lab], room: Room, fresh_url: FreshUrl, server: BusServer
) -> None:
    names = [await Runtime.of(each.log)._name_on_bus() for each in two]
    another = Lab(fresh_url(), bus=server.url)
    await another.create_room("r", study="s")
    names.append(await Runtime.of(another.log)._name_on_bus())
    another.log.close()
    assert names[0] == names[1] != names[2]
    assert await lab_of_listeners() not in names


async def test_a_page_that_is_elsewhere_is_asked_for_once_at_a_time_until_it_has_gone(
    two: tuple[Lab, Lab], room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where nobody has its room open; then its held message is shown as it was written."""
    await room.submit(Say("a", "so", "1", "page", waits=True))
    there = await live(two[1], room)
    there.page_came("page")
    shown: list[str] = []
    there.follow(lambda events: shown.extend(event.kind for event in events))
    rooms = LiveRooms(two[0].log, returns_within=0.7)
    (await rooms.open(room.key)).leave()
    await eventually(lambda: all(each.log.bus and each.log.bus.is_up for each in two))
    for _ in range(20):
        rooms.forget_unused()
        await lasts(0.25)
        assert len(rooms._tasks._running) <= 2  # one asks, and one may wait to ask again
    assert "a background task" not in caplog.text and shown == []
    there.page_went("page")
    await eventually(lambda: "message" in shown)
    there.leave()
