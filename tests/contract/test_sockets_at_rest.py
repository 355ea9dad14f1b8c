"""What wakes a socket: only what its browser may be shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

from shiny_labchat import Lab, Room
from shiny_labchat.access.tickets import Entry
from shiny_labchat.domain.opaque import id_of
from shiny_labchat.gateway.socket import SEARCH_PAUSE, Socket
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.room import MAX_MISSED_EVENTS
from shiny_labchat.live.window import SEARCHED
from shiny_labchat.protocol import Hello
from shiny_labchat.words import ENGLISH


class Pipe:
    """A websocket without a network: what was sent, and how often the socket looked."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.looks = 0
        self.frames: asyncio.Queue[str] = asyncio.Queue()

    async def receive(self) -> Any:
        return {"type": "websocket.receive", "text": await self.frames.get()}

    async def send(self, message: Any) -> None:
        at = asyncio.get_running_loop().time()
        self.sent += [{**json.loads(frame), "sent": at} for frame in message["text"].split("\n")]

    def texts(self) -> list[str]:
        items = [item for frame in self.sent for item in frame.get("e", ()) if "k" not in item]
        return [item["text"] for item in items]


class Watched(Socket):
    """A socket whose looks at what is owed are counted."""

    pipe: Pipe

    async def _owed(self) -> list[str]:
        self.pipe.looks += 1
        return await super()._owed()


@asynccontextmanager
async def open_socket(lab: Lab, room: Room, member: str) -> AsyncIterator[Pipe]:
    pipe = Pipe()
    live = await Runtime.of(lab.log).live.open(room.key)
    entry = Entry(lab.log, room.key, member, f"page-of-{member}", "resume")
    socket = Watched(pipe.receive, pipe.send, entry, live, ENGLISH)
    socket.pipe = pipe
    serving = asyncio.create_task(socket.serve(Hello("t", False)))
    try:
        yield pipe
    finally:
        serving.cancel()
        await asyncio.wait([serving])
        live.leave()


async def until_at_rest(pipe: Pipe) -> None:
    """Wait until it has sent presence, and has nothing more to do."""
    async with asyncio.timeout(10):
        while not any(frame["t"] == "presence" for frame in pipe.sent):
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.01)


async def test_who_joins_wakes_nobody_else(lab: Lab, room: Room) -> None:
    async with open_socket(lab, room, "a") as pipe:
        await until_at_rest(pipe)
        looks = pipe.looks
        for n in range(20):
            await room.add_member(f"new-{n}")
            await room.record("kind", n)
        assert pipe.looks == looks
        await room.post("hi")
        async with asyncio.timeout(10):
            while pipe.texts() != ["hi"]:
                await room.members()
        assert pipe.looks <= looks + 2


async def test_what_concerns_its_member_wakes_it(lab: Lab, room: Room) -> None:
    async with open_socket(lab, room, "a") as pipe:
        await until_at_rest(pipe)
        for action in (room.mute("a"), room.unmute("a"), room.close("over"), room.open()):
            before = len(pipe.sent)
            await action
            async with asyncio.timeout(10):
                while len(pipe.sent) == before:
                    await room.members()
        states = [frame["state"]["is"] for frame in pipe.sent if frame["t"] == "state"]
        assert states == ["open", "open", "closed", "open"]


async def test_much_that_is_not_shown_is_not_missed(lab: Lab, room: Room) -> None:
    """A study's own records, for example: the page keeps what it shows."""
    async with open_socket(lab, room, "a") as pipe:
        await until_at_rest(pipe)
        for _ in range(3):
            some = (room.record("kind", n) for n in range(MAX_MISSED_EVENTS // 2 + 10))
            await asyncio.gather(*some)
        await room.post("hi")
        async with asyncio.timeout(10):
            while pipe.texts() != ["hi"]:
                await room.members()
        assert sum(frame["t"] == "welcome" for frame in pipe.sent) == 1


async def test_who_asks_for_older_messages_that_are_not_theirs_pauses_between_searches(
    lab: Lab, room: Room
) -> None:
    for _ in range(2):
        some = (room.post(f"{n}", audience=["b"]) for n in range(SEARCHED // 2 + 50))
        await asyncio.gather(*some)
    await room.post("hi")
    async with open_socket(lab, room, "a") as pipe:
        await until_at_rest(pipe)
        state = await room.state()
        before = id_of(state.seed, state.seq)
        for _ in range(3):
            pipe.frames.put_nowait(json.dumps({"t": "older", "before": before}))
        older: list[dict[str, Any]] = []
        async with asyncio.timeout(20):
            while len(older) < 3:
                await room.members()
                older = [frame for frame in pipe.sent if frame["t"] == "older"]
        told = [(frame["e"], frame["more"], frame["before"]) for frame in older]
        assert told == [([], True, id_of(state.seed, state.seq - SEARCHED))] * 3
        times = [frame["sent"] for frame in older]
        assert all(b - a >= 0.9 * SEARCH_PAUSE for a, b in pairwise(times))
