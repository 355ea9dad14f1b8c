"""A server under attack: its rooms, who is in them, and what has been sent."""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import ticket
from shiny_labchat.store import Grant, issue
from tests.fuzz.attacks import attack
from tests.fuzz.frames import FrameGenerator
from tests.fuzz.invariants import Invariants, trouble_in
from tests.fuzz.users import User
from tests.support.server import Server

__all__ = ["World", "attacked", "fresh_seed"]

APP = ["-m", "uvicorn", "tests.integration.apps.attacked:app"]
ROOMS, USERS, ATTACKERS = 3, 3, 6
IDLE = 40
"""Half-open sockets that attackers keep."""


def fresh_seed() -> int:
    """A seed that was not used before, or the one that is asked for."""
    return int(os.environ.get("LABCHAT_SEED") or secrets.randbelow(2**31))


async def attacked(
    seconds: float, seed: int, folder: Path, say: Callable[[str], None] = print
) -> None:
    """Attack a fresh server for so long; fails with the seed and the last frames."""
    say(f"LABCHAT_SEED={seed}")
    server = Server(APP, f"sqlite:///{folder / 'lab.db'}")
    lab = Lab(server.url)
    world = World(seed, server, lab)
    try:
        server.start()
        await world.furnish()
        invariants = Invariants(world, server, folder / "server.log")
        async with asyncio.TaskGroup() as tasks:
            for user in world.users:
                tasks.create_task(user.talk())
            for member in world.attackers:
                tasks.create_task(attack(world, member))
            tasks.create_task(world.whisper())
            tasks.create_task(invariants.look_until(time.monotonic() + seconds, say))
        await invariants.compare()
        say(await invariants.look(last=True))
    except BaseExceptionGroup as group:
        sent = "\n".join(world.last)
        why = "\n".join(f"{type(exc).__name__}: {exc}" for exc in group.exceptions)
        trouble = "\n".join(trouble_in(server.log))
        say(f"LABCHAT_SEED={seed}; last sent:\n{sent}\n{why}\n{trouble}")
        raise
    finally:
        world.leave()
        lab.log.close()
        server.stop()


class World:
    """The server, its rooms, who is in them, and what has been sent."""

    def __init__(self, seed: int, server: Server, lab: Lab) -> None:
        self.rng = random.Random(seed)
        self.frames = FrameGenerator(self.rng)
        self.port = server.port
        self.lab = lab
        self.over = asyncio.Event()
        self.delays: deque[float] = deque(maxlen=5_000)
        self.counts: Counter[str] = Counter()
        self.last: deque[str] = deque(maxlen=25)
        self.rooms: list[Room] = []
        self.users: list[User] = []
        self.cids: deque[str] = deque(maxlen=20)
        self.asked: dict[str, str] = {}
        """What shall be streamed, by id."""
        self.streams: deque[tuple[Room, str]] = deque(maxlen=10)
        """Where something is streamed now, or was just before."""
        self.tokens: deque[dict[str, str]] = deque(maxlen=200)
        """Hellos that are good for nothing: used, expired, revoked, of another kind."""
        self._sent: dict[str, set[int]] = {}
        self._idle: deque[asyncio.StreamWriter] = deque()

    async def furnish(self) -> None:
        """Make the rooms and their members."""
        for number in range(ROOMS):
            room = await self.lab.create_room(
                f"secret-room-{number}", study="tests", rules=Rules(rate=8, burst=20)
            )
            self.rooms.append(room)
            for name in range(USERS):
                member = f"secret-p{number}{name}"
                self.users.append(User(self, room, member, has_session=name == 0))
                await room.add_member(member)
            for name in (*self.attackers, "secret-removed"):
                await room.add_member(name)
            raw = await self.ticket(room, "secret-removed")
            await room.remove_member("secret-removed")
            self.tokens += [{"ticket": raw}, {"ticket": await self.lab.invite("secret-p00")}]
            for kind, age in (("ticket", 61e6), ("resume", 9e10)):
                old, grant = int(age), Grant("secret-p00", room.key, page="page")
                raw = await room.log.write(
                    lambda c, now, kind=kind, old=old, grant=grant: issue(c, kind, grant, now - old)
                )
                self.tokens.append({kind: raw})

    @property
    def attackers(self) -> list[str]:
        """The members who mean ill."""
        return [f"secret-mallory{number}" for number in range(ATTACKERS)]

    @property
    def members(self) -> set[str]:
        """Everybody who may have sat in a room."""
        return {user.member for user in self.users} | {*self.attackers, "secret-removed"}

    async def ticket(self, room: Room, member: str) -> str:
        return await ticket(room.log, room.key, member, "secret-page")

    async def whisper(self) -> None:
        """Say something that only one may see, from time to time."""
        while not self.over.is_set():
            user = self.rng.choice(self.users)
            await user.room.post("secret-word", audience=[user.member])
            await self.pause(1)

    async def pause(self, seconds: float) -> None:
        """Go on after so long, or when all is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.over.wait()

    def note(self, member: str, frame: str | bytes, what: str) -> None:
        """Remember what a member sent, if it could be a message."""
        if what:
            self.counts["frames"] += 1
            shown = repr(frame[:120]) + (f"... ({len(frame)})" if len(frame) > 120 else "")
            self.last.append(f"{what} as {member or 'a stranger'}: {shown}")
        with suppress(ValueError, RecursionError, AttributeError):
            loaded = json.loads(frame)
            if loaded.get("t") == "send":
                key = hash((str(loaded.get("cid")), str(loaded.get("text"))))
                self._sent.setdefault(member, set()).add(key)

    def has_sent(self, member: str, cid: str, text: str) -> bool:
        return hash((cid, text)) in self._sent.get(member, ())

    async def raw(self, head: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A TCP connection that has sent this; of those kept open the oldest is ended."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(head)
        self._idle.append(writer)
        if len(self._idle) > IDLE:
            oldest = self._idle.popleft()
            oldest.transport.abort()
        return reader, writer

    def leave(self) -> None:
        """End what attackers keep open."""
        for writer in self._idle:
            writer.transport.abort()
        self._idle.clear()
