"""A page that reconnects, sends again what nobody confirmed, and loses nothing."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from itertools import count
from random import Random
from typing import Any, Literal, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from shiny_labchat import Room
from shiny_labchat.access.tickets import ticket
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import text_of
from shiny_labchat.domain.opaque import id_of
from shiny_labchat.protocol import VERSION
from shiny_labchat.store import events_after, find_room
from tests.support.channel import Channel, channel
from tests.support.client import filled_in
from tests.support.stream_reader import apply_chunks

__all__ = [
    "ReconnectingClient",
    "agree",
    "log_of",
    "percentile",
    "reconnecting_client",
    "reconnecting_clients",
    "seed",
    "ticks",
]

Frame = dict[str, Any]
_Line = ClientConnection | Channel
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5
"""Shorter than a real page's (0.5 and 15 s), in seconds; the rest is as in ``socket.js``."""
WELCOME_WITHIN = 10.0
PONG_WITHIN = 10.0
LARGEST = 65_536
"""The longest frame that a browser may be sent, in characters, but for one item."""


def seed() -> int:
    """What decides all that happens by chance in a test; printed, for ``LABCHAT_SEED``."""
    chosen = int(os.environ.get("LABCHAT_SEED") or secrets.randbelow(1_000_000))
    print(f"LABCHAT_SEED={chosen}")
    return chosen


async def ticks(rate: float, number: int) -> AsyncIterator[int]:
    """So many numbers from 0, `rate` of them a second; who is late catches up."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    for n in range(number):
        due = loop.create_future()
        timer = loop.call_at(start + n / rate, due.set_result, None)
        try:
            await due
        finally:
            timer.cancel()
        yield n


def percentile(values: list[float], share: float = 0.99) -> float:
    """The value that this share of the values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class ReconnectingClient:
    """
    A page as ``socket.js``, ``outbox.js`` and ``room.js`` make one. Made by `reconnecting_client`.

    Whatever a page must never see is an error: a message twice, one out of order, a cursor that
    goes back, an ack that differs from an earlier one, a frame that is too large.

    Parameters
    ----------
    port
        Where the server is, or the network before it.
    ask
        Gives a ticket, as the page's Shiny session does.
    chance
        Decides how long its pauses are.
    ping_every
        How often it asks whether the server is there, in seconds; None: never.
    over
        What its frames go over: a "websocket" of its own, or a "channel" in Shiny's connection.

    Attributes
    ----------
    items
        The messages it shows, by id, in order.
    cursor
        The id of the newest item that it was sent.
    outbox
        The texts that are not stored as far as it knows, by id.
    stored
        The id of the item that each of its messages was stored as, by its own id.
    refused
        The refusal of each of its messages that was, by id.
    sent_at, heard_at
        When it said what (by id), and when it was shown what (by the item's id).
    resets
        How often it had to forget what it showed.
    lines, asked
        How often it was let in, and how often it had to ask for a ticket.
    ended
        Each end of a stream that it was told of: how.
    parted
        The goodbye that was final.
    """

    def __init__(
        self,
        port: int,
        ask: Callable[[], Awaitable[str]],
        chance: Random,
        *,
        ping_every: float | None = 25.0,
        pong_within: float = PONG_WITHIN,
        over: Literal["websocket", "channel"] = "websocket",
        **options: Any,
    ) -> None:
        self.port = port
        self.items: dict[str, Frame] = {}
        self.cursor = ""
        self.outbox: dict[str, str] = {}
        self.stored: dict[str, str] = {}
        self.refused: dict[str, Frame] = {}
        self.said: dict[str, str] = {}
        self.sent_at: dict[str, float] = {}
        self.heard_at: dict[str, float] = {}
        self.lines = self.asked = self.resets = self.largest = 0
        self.more = False
        self.before = ""
        self.pages = 0
        self.ended: list[str] = []
        self.parted: Frame | None = None
        self._ask = ask
        self._chance = chance
        self._ping_every = ping_every
        self._pong_within = pong_within
        self._over = over
        self._options = options
        self._token: dict[str, str] = {}
        self._line: _Line | None = None
        self._told: set[str] = set()
        self._telling = asyncio.Lock()
        self._last_heard = 0.0
        self._tries = 0
        self._bell = asyncio.Event()
        self._cids = (f"{chance.getrandbits(64):016x}-{n}" for n in count())
        self._task: asyncio.Task[None] | None = None

    # ── what a person does ──

    async def say(self, text: str) -> str:
        """Say something, now or as soon as there is a line; gives its id."""
        cid = next(self._cids)
        self.said[cid] = self.outbox[cid] = text
        self.sent_at[cid] = time.perf_counter()
        if self._line is not None:
            await self._tell_all(self._line)
        return cid

    async def says(self, text: str, *, within: float = 60.0) -> str:
        """Say something and wait until it is stored; gives its item's id."""
        cid = await self.say(text)
        await self.until(lambda: cid in self.stored or cid in self.refused, within=within)
        assert cid in self.stored, self.refused[cid]
        return self.stored[cid]

    async def scroll_back(self) -> None:
        """Read everything that is older than what it shows."""
        while self.more:
            known, oldest = len(self.items), self.before or next(iter(self.items))
            assert self._line is not None
            pages = self.pages
            await self._line.send(json.dumps({"t": "older", "before": oldest}))
            await self.until(lambda pages=pages: self.pages > pages)
            assert self.before or len(self.items) > known or not self.more

    async def until(self, is_so: Callable[[], bool], *, within: float = 60.0) -> None:
        """Wait until something is so."""
        try:
            async with asyncio.timeout(within):
                while not is_so():
                    assert self._task is not None
                    if self._task.done():
                        self._task.result()
                        raise AssertionError(f"sent away: {self.parted}")
                    await self._bell.wait()
        except TimeoutError:
            raise AssertionError(f"not within {within} s: {self}") from None

    def __repr__(self) -> str:
        return (
            f"<{len(self.items)} items, cursor {self.cursor}, {len(self.outbox)} unsent, "
            f"{len(self.refused)} refused, {self.lines} lines, line {self._line}>"
        )

    @property
    def is_on_line(self) -> bool:
        """Whether it has a line, and may be told more on it."""
        return self._line is not None

    @property
    def transcript(self) -> list[tuple[str, str]]:
        """What it shows: ids and texts."""
        return [(id, text_of(item["parts"])) for id, item in self.items.items()]

    @property
    def endings(self) -> dict[str, str]:
        """How its streams have ended that did not end well; "live": one that has not."""
        items = self.items.items()
        ends = {id: item.get("is", "live" if "live" in item else "done") for id, item in items}
        return {id: end for id, end in ends.items() if end != "done"}

    # ── one line after the other ──

    async def open(self) -> Self:
        """Open the page, and keep its line open from now on."""
        self._token = {"ticket": await self._ask()}
        self._task = asyncio.create_task(self._go_on())
        self._task.add_done_callback(lambda _: self._ring())
        return self

    async def leave(self) -> None:
        """Close the page; what it failed of is raised."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()

    async def _go_on(self) -> None:
        while self.parted is None:
            try:
                await self._be_on_line()
            except (OSError, WebSocketException, EOFError):
                pass  # as a page's socket that closes
            self._line = None
            self._ring()
            await self._rest()

    async def _rest(self) -> None:
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._tries)
        self._tries += 1
        never = asyncio.get_running_loop().create_future()
        await asyncio.wait([never], timeout=longest * self._chance.uniform(0.5, 1))

    async def _be_on_line(self) -> None:
        options: dict[str, Any] = {"compression": None, "max_size": None, "max_queue": 1}
        options |= {"proxy": None, "ping_interval": None, "open_timeout": WELCOME_WITHIN}
        async with self._connect(**(options | {"close_timeout": 0.2} | self._options)) as line:
            after = self.cursor
            await line.send(json.dumps({"t": "hello", "v": VERSION, "after": after, **self._token}))
            pinging = asyncio.create_task(self._ping(line))
            try:
                async for raw in line:
                    assert isinstance(raw, str)
                    self._last_heard = time.perf_counter()
                    for frame in raw.split("\n"):
                        await self._take(line, json.loads(frame), len(frame))
                    self._ring()
            finally:
                pinging.cancel()
                line.transport.abort()

    def _connect(self, **options: Any) -> AbstractAsyncContextManager[_Line]:
        if self._over == "channel":
            return channel(self.port, **options)
        return connect(f"ws://127.0.0.1:{self.port}/labchat/ws", **options)

    async def _ping(self, line: _Line) -> None:
        closed = asyncio.ensure_future(line.wait_closed())
        try:
            while self._ping_every is not None:
                asked = time.perf_counter()
                with suppress(ConnectionClosed):
                    await line.send('{"t":"check"}')
                await asyncio.wait([closed], timeout=self._pong_within)
                if self._last_heard < asked:
                    line.transport.abort()
                await asyncio.wait([closed], timeout=self._ping_every)
                if closed.done():
                    return
        finally:
            closed.cancel()

    async def _take(self, line: _Line, frame: Frame, size: int) -> None:
        self._measure(frame, size)
        match frame["t"]:
            case "welcome":
                await self._enter(line, frame)
            case "events":
                self._learn(frame["e"])
            case "older":
                self._learn_older(frame["e"])
                self.more, self.before = frame["more"], frame.get("before", "")
                self.pages += 1
            case "chunks":
                for id, more, *rest in frame["of"]:
                    self._grow(id, more, *rest[:1])
            case "acks":
                for cid, id in frame["of"]:
                    assert self.stored.setdefault(cid, id) == id, "stored twice"
                    self.outbox.pop(cid, None)
            case "refused":
                self.refused[frame["cid"]] = frame
                self.outbox.pop(frame["cid"], None)
            case "bye":
                await self._part(frame)
            case _:
                pass

    def _measure(self, frame: Frame, size: int) -> None:
        self.largest = max(self.largest, size)
        if size > LARGEST:
            longest = max(len(json.dumps(each)) for each in frame.get("e") or frame["of"])
            assert size <= LARGEST + longest, f"a {frame['t']} frame of {size} characters"

    async def _enter(self, line: _Line, frame: Frame) -> None:
        self._token = {"resume": frame["resume"]} if frame["resume"] else self._token
        self.lines += 1
        self._tries = 0
        if frame["reset"]:
            self.resets += bool(self.items)
            self.items.clear()
            self.cursor = ""
            self.more, self.before = frame["more"], frame.get("before", "")
        self._learn(frame["e"])
        self._line = line
        self._told.clear()
        await self._tell_all(line)

    def _learn(self, items: list[Frame]) -> None:
        now = time.perf_counter()
        for item in items:
            self.cursor = item["id"]
            if item.get("k") == "end":
                self._end(item)
                continue
            assert item["id"] not in self.items, "shown twice"
            self.items[item["id"]] = filled_in(item)
            self.heard_at[item["id"]] = now

    def _grow(self, id: str, more: str | list[list[Any]], keep: int | None = None) -> None:
        """More of a stream, or all of it; one that was taken for dead may go on."""
        item = self.items.get(id)
        if item is None:
            assert self.more, "chunks of what it was never shown"
            return
        is_open = item.get("live") or item.get("is") == "interrupted"
        assert is_open or keep == 0, "chunks of what has ended"
        apply_chunks(item["parts"], more, keep)

    def _end(self, ending: Frame) -> None:
        item = self.items.get(ending["of"])
        if item is None:
            assert self.more, "the end of what it was never shown"
            return
        item.pop("live", None)
        item["is"] = ending["is"]
        self.ended.append(ending["is"])

    def _learn_older(self, items: list[Frame]) -> None:
        older = {item["id"]: filled_in(item) for item in items}
        assert len(older) == len(items) and not self.items.keys() & older, "older ones again"
        self.items = older | self.items

    async def _tell_all(self, line: _Line) -> None:
        """Say all that is not stored, each once on this line, in order."""
        async with self._telling:
            for cid in tuple(self.outbox):
                if line is self._line and cid not in self._told and cid in self.outbox:
                    self._told.add(cid)
                    try:
                        told = {"t": "send", "cid": cid, "text": self.outbox[cid]}
                        await line.send(json.dumps(told))
                    except ConnectionClosed:
                        return  # the next line is told

    async def _part(self, frame: Frame) -> None:
        assert frame["say"]
        if frame["code"] == "ticket":
            self.asked += 1
            self._token = {"ticket": await self._ask()}
        elif not frame["again"]:
            self.parted = frame

    def _ring(self) -> None:
        self._bell.set()
        self._bell = asyncio.Event()


@asynccontextmanager
async def reconnecting_client(
    port: int, room: Room, member: str, *, chance: Random | None = None, **options: Any
) -> AsyncIterator[ReconnectingClient]:
    """A page of a member's, who is in the room when this begins."""
    await room.add_member(member)

    def ask() -> Awaitable[str]:
        return ticket(room.log, room.key, member, f"page-of-{member}")

    page = await ReconnectingClient(port, ask, chance or Random(member), **options).open()
    try:
        await page.until(lambda: page.lines > 0)
        yield page
    finally:
        await page.leave()


@asynccontextmanager
async def reconnecting_clients(
    number: int, port: int, room: Room, *, chance: Random, name: str = "p", **options: Any
) -> AsyncIterator[list[ReconnectingClient]]:
    """Several people's pages, each in the room when this begins."""
    chances = [Random(chance.getrandbits(64)) for _ in range(number)]
    pages: list[ReconnectingClient] = []
    await asyncio.gather(*(room.add_member(f"{name}{n}") for n in range(number)))
    try:
        for n in range(number):
            member = f"{name}{n}"

            def ask(member: str = member) -> Awaitable[str]:
                return ticket(room.log, room.key, member, f"page-of-{member}")

            pages.append(await ReconnectingClient(port, ask, chances[n], **options).open())
        for page in pages:
            await page.until(lambda page=page: page.lines > 0)
        yield pages
    finally:
        left = await asyncio.gather(*(page.leave() for page in pages), return_exceptions=True)
    for error in left:
        if error is not None:
            raise error


async def log_of(room: Room) -> list[Event]:
    """The whole log of a room."""

    def read(conn: Any) -> list[Event]:
        found = find_room(conn, room.key)
        return [] if found is None else events_after(conn, found[0], 0)

    return await room.log.read(read)


async def agree(
    people: list[ReconnectingClient], room: Room, *, within: float = 60.0
) -> list[Event]:
    """
    Wait until nobody waits for anything; then all must show what is in the log, and it only.

    Every message that anybody said is there exactly once, as the item that was acknowledged, and
    those of one person in the order they were said in. Streams have ended, and all know how.
    Gives the messages.
    """
    for person in people:
        await person.until(lambda person=person: not person.outbox, within=within)
    log = await log_of(room)
    assert [event.seq for event in log] == list(range(1, len(log) + 1)), "the log has gaps"
    messages = [event for event in log if event.kind == "message"]
    seed = (await room.state()).seed
    ids = {e.seq: id_of(seed, e.seq) for e in log}
    shown = [(ids[e.seq], text_of(e.data["parts"])) for e in messages]
    ends = {ids[e.seq]: e.data["is"] for e in messages if "is" in e.data}
    newest = max((e.seq for e in log if e.kind in ("message", "streamed")), default=0)
    last = ids.get(newest, "")
    for person in people:
        await person.until(lambda person=person: person.cursor == last, within=within)
        at = len(shown) - len(person.items) if person.more else 0
        assert person.transcript == shown[at:]
        assert person.endings == {id: ends[id] for id, _ in shown[at:] if id in ends}
    said = {f"b:{cid}": text for p in people for cid, text in p.said.items() if cid in p.stored}
    stored = [event.cid for event in messages if event.cid is not None]
    assert sorted(said) == sorted(cid for cid in stored if cid.startswith("b:"))
    at = {event.cid: event.seq for event in messages}
    for person in people:
        seqs = [at[f"b:{cid}"] for cid in person.said if cid in person.stored]
        assert seqs == sorted(seqs), "somebody's own words in another order"
        acked = {cid: ids[at[f"b:{cid}"]] for cid in person.stored}
        assert acked == person.stored, "acks that lie"
        assert person.stored.keys() | person.refused.keys() == person.said.keys()
    return messages
