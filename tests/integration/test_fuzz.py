"""Whatever a socket can carry: the server lives, and the honest notice nothing."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat._decide import check_text
from shiny_labchat._domain import Event
from shiny_labchat._door import ticket
from shiny_labchat.store import Grant, events_after, find_room, issue
from tests.client import Browser, browser
from tests.fuzz import ATTACKS, Grammar, attack
from tests.server import Server, shiny_run

APP = Path(__file__).parent / "apps" / "room.py"
SECONDS = 60
"""How long each run attacks; a long one LONG."""
LONG = 10 * 60
ROOMS, HONEST, ATTACKERS = 3, 3, 6
SLOWEST = 5.0
"""What 99 of 100 honest messages take at most until they are stored, in seconds."""
MEMORY = 500 * 2**20
"""
What the server may grow by under attack, in bytes. Uvicorn takes in frames of up to 16 MB before
the gateway may look at them, and each attacker can have one on the way.
"""
IDLE = 40
"""Half-open sockets that attackers keep."""
WRONG = re.compile(
    "Traceback|Unhandled|^ERROR|^Fatal|never (retrieved|awaited)|a socket failed|a command failed|"
    "(follower|writer|chat) .* failed|could not (be stored|let a page in)",
    re.MULTILINE,
)
"""What a healthy server never logs."""
BEGINS = re.compile("INFO|WARNING|ERROR|labchat|Fatal error|Task |Exception ")
"""How each of its notices begins; what follows belongs to it."""
EXCUSED = re.compile(r"Invalid UTF-8 sequence|self\.conn\.send_close\(1007\)")
"""Uvicorn has this of its own: it tells so with a traceback, and ends that socket alone."""


@pytest.mark.parametrize("seconds", [SECONDS, pytest.param(LONG, marks=pytest.mark.long)])
async def test_nothing_that_a_socket_can_carry_harms_anybody(seconds: int, tmp_path: Path) -> None:
    """LABCHAT_SEED=... attacks with the same frames again."""
    await attacked(seconds, fresh_seed(), tmp_path)


def fresh_seed() -> int:
    """A seed that was not used before, or the one that is asked for."""
    return int(os.environ.get("LABCHAT_SEED") or secrets.randbelow(2**31))


async def attacked(
    seconds: float, seed: int, folder: Path, say: Callable[[str], None] = print
) -> None:
    """Attack a fresh server for so long; fails with the seed and the last frames."""
    say(f"LABCHAT_SEED={seed}")
    server = Server(shiny_run(APP), f"sqlite:///{folder / 'lab.db'}")
    lab = Lab(server.url)
    world = World(seed, server, lab)
    try:
        server.start()
        await world.furnish()
        watch = Watch(world, server, folder / "server.log")
        async with asyncio.TaskGroup() as tasks:
            for honest in world.honest:
                tasks.create_task(honest.talk())
            for member in world.attackers:
                tasks.create_task(attack(world, member))
            tasks.create_task(world.whisper())
            tasks.create_task(watch.look_until(time.monotonic() + seconds, say))
        await watch.compare()
        say(await watch.look(last=True))
    except BaseExceptionGroup as group:
        sent = "\n".join(world.last)
        why = "\n".join(f"{type(exc).__name__}: {exc}" for exc in group.exceptions)
        trouble = "\n".join(_trouble(server.log))
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
        self.grammar = Grammar(self.rng)
        self.port = server.port
        self.lab = lab
        self.over = asyncio.Event()
        self.delays: deque[float] = deque(maxlen=5_000)
        self.counts: Counter[str] = Counter()
        self.last: deque[str] = deque(maxlen=25)
        self.rooms: list[Room] = []
        self.honest: list[Honest] = []
        self.cids: deque[str] = deque(maxlen=20)
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
            for name in range(HONEST):
                member = f"secret-p{number}{name}"
                self.honest.append(Honest(self, room, member))
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
        return {honest.member for honest in self.honest} | {*self.attackers, "secret-removed"}

    async def ticket(self, room: Room, member: str) -> str:
        return await ticket(room.log, room.key, member, "secret-page")

    async def whisper(self) -> None:
        """Say something that only one may see, from time to time."""
        while not self.over.is_set():
            honest = self.rng.choice(self.honest)
            await honest.room.post("secret-word", audience=[honest.member])
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


class Honest:
    """Somebody who talks, listens, and comes and goes."""

    def __init__(self, world: World, room: Room, member: str) -> None:
        self.room = room
        self.member = member
        self.seen: dict[int, int] = {}
        self.stored: dict[str, int] = {}
        self._world = world
        self.upto = 0
        self._token: dict[str, str] = {}

    async def talk(self) -> None:
        """Talk until all is over."""
        raw = await ticket(self.room.log, self.room.key, self.member, "page")
        self._token = {"ticket": raw}
        while not self._world.over.is_set():
            await self._comes(self._world.rng.randint(3, 40))

    async def catches_up(self, head: int) -> None:
        """Come once more, when all is over, and see what there is up to this seq."""
        while self.upto < head:
            await self._comes(0, head)

    async def _comes(self, says: int, head: int = 0) -> None:
        async with browser(self._world.port) as here:
            await here.tell(t="hello", v=1, after=self.upto, **self._token)
            await here.until(lambda: bool(here.frames))
            if here.frames[0].get("again"):  # the door is thronged
                return await self._world.pause(0.3)
            assert here.welcome, f"{self.member} was not let in: {here.frames[0]}"
            assert not here.welcome["reset"] or self.upto == 0, "an honest person is lost"
            self._token = {"resume": here.welcome["resume"]}
            for _ in range(says):
                await self._says(here)
            await here.until(lambda: here.upto >= head)
            await here.settles()
            self._take(here)

    async def _says(self, here: Browser) -> None:
        if self._world.over.is_set():
            return
        start, text = time.monotonic(), f"honest {secrets.token_hex(4)}"
        cid = f"h-{secrets.token_hex(6)}"
        self._world.note(self.member, json.dumps({"t": "send", "cid": cid, "text": text}), "")
        self._world.cids.append(cid)
        await here.send(text, cid)
        await here.until(lambda: cid in here.stored or here.frames[-1]["t"] in ("refused", "bye"))
        assert cid in here.stored, f"{self.member} was refused: {here.frames[-1]}"
        self._world.delays.append(time.monotonic() - start)
        with suppress(TimeoutError):  # hears what others say
            async with asyncio.timeout(self._world.rng.uniform(0.1, 0.5)):
                await here.until(lambda: False)

    def _take(self, here: Browser) -> None:
        for seq, item in here.items.items():
            assert seq not in self.seen, f"{self.member} was shown {seq} twice"
            self.seen[seq] = hash((item["h"], item["name"], str(item["parts"])))
        self.stored |= here.stored
        self.upto = here.upto


# ── what must hold ───────────────────────────────────────────────────────────────────────────


class Watch:
    """Looks at the server, its log and its database, again and again."""

    def __init__(self, world: World, server: Server, journal: Path) -> None:
        self._world = world
        self._server = server
        self._journal = journal
        self._process = psutil.Process(server.pid)
        self._memory = self._process.memory_info().rss
        self._events: dict[str, list[tuple[int | None, list[str] | None]]] = {}
        self._cids: dict[tuple[str, str, str], int] = {}

    async def look(self, last: bool = False) -> str:
        """Look once; gives a line about how it goes."""
        self._read_journal(last)
        assert self._server.is_running, "the server has died"
        grown = self._process.memory_info().rss - self._memory
        assert grown < MEMORY, f"the server has grown by {grown / 2**20:.0f} MB"
        for room in await self._world.lab.rooms():
            await self._read(room)
        delays = sorted(self._world.delays)
        p99 = delays[len(delays) * 99 // 100] if delays else 0
        assert p99 < SLOWEST, f"honest messages take {p99:.1f} s (p99)"
        counts = self._world.counts
        attacks = sum(counts[how.__name__] for how in ATTACKS)
        return (
            f"{attacks} attacks, {counts['frames']} frames, {len(self._cids)} messages stored, "
            f"p99 {p99 * 1000:.0f} ms, {grown / 2**20:+.0f} MB"
        )

    def _read_journal(self, last: bool) -> None:
        lines = self._server.log[:]
        while lines and not last and not BEGINS.match(lines[-1]):
            lines.pop()  # a traceback is read whole
        del self._server.log[: len(lines)]  # only its end grows
        with self._journal.open("a", encoding="utf-8", errors="backslashreplace") as journal:
            journal.writelines(line + "\n" for line in lines)
        assert not (trouble := _trouble(lines)), "\n".join(trouble)

    async def look_until(self, deadline: float, say: Callable[[str], None]) -> None:
        """Look until then, and end the attack."""
        while (left := deadline - time.monotonic()) > 0:
            await self._world.pause(min(5, left))
            say(await self.look())
        self._world.over.set()

    async def _read(self, room: Room) -> None:
        known = self._events.setdefault(room.id, [])
        found = await room.log.read(lambda conn: find_room(conn, room.key))
        assert found is not None
        new = await room.log.read(lambda conn: events_after(conn, found[0], len(known)))
        for event in new:
            assert event.seq == len(known) + 1, f"a gap before {event.seq} in {room.id}"
            self._check(room, event)
            known.append(_shown(event))

    def _check(self, room: Room, event: Event) -> None:
        assert type(event.at) is int and abs(event.at / 1e6 - time.time()) < 3600
        assert event.kind in KEYS, event
        assert event.data.keys() <= KEYS[event.kind], event
        if event.kind == "joined":
            who = event.member or ""
            isolated = room.id == "page"
            assert who.startswith("visitor-") if isolated else who in self._world.members, event
        if event.kind == "message" and event.member is not None:
            self._check_said(room, event)

    def _check_said(self, room: Room, event: Event) -> None:
        """A person's message is exactly what was sent on that person's own socket."""
        member, cid = event.member or "", (event.cid or "").removeprefix("b:")
        [[kind, text]] = event.data["parts"]
        assert (kind, event.data["role"]) == ("text", "user"), event
        assert self._world.has_sent(member, cid, text), f"{member} never sent {event}"
        check_text(text)
        assert text.strip() and len(text) <= 5_000, event
        assert (room.id, member, cid) not in self._cids, f"stored twice: {event}"
        self._cids[room.id, member, cid] = event.seq

    async def compare(self) -> None:
        """What the honest have seen is the log, and what they were told is stored is."""
        await self.look()
        for honest in self._world.honest:
            await honest.catches_up(max(self._owed(honest), default=0))
        await self.look()
        for honest in self._world.honest:
            owed = {seq: key for seq, key in self._owed(honest).items() if seq <= honest.upto}
            odd = sorted(dict(honest.seen.items() ^ owed.items()))
            assert not odd, f"{honest.member} has seen another room than there is: {odd}"
            for cid, seq in honest.stored.items():
                where = honest.room.id, honest.member, cid
                assert self._cids[where] == seq, f"{cid} is not where it was said"
        assert {room.id for room in await self._world.lab.rooms()} <= {
            "page",
            *(room.id for room in self._world.rooms),
        }

    def _owed(self, honest: Honest) -> dict[int, int]:
        """The messages of the log that somebody may see, by seq."""
        return {
            seq: key
            for seq, (key, audience) in enumerate(self._events[honest.room.id], 1)
            if key is not None and (audience is None or honest.member in audience)
        }


def _trouble(lines: list[str]) -> list[str]:
    """Where a log first tells of something wrong."""
    starts = [n for n, line in enumerate(lines) if BEGINS.match(line)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=False):
        notice = "\n".join(lines[start:end])
        if WRONG.search(notice) and not EXCUSED.search(notice):
            return lines[max(0, start - 5) : end]
    return []


KEYS = {
    "configured": {"seed", "title", "write", "rules"},
    "joined": {"handle", "pseudonym", "role", "asked"},
    "removed": set(),
    "message": {"role", "h", "name", "parts", "page", "audience", "id"},
}
"""The kinds of events that may come about, and what each may hold."""


def _shown(event: Event) -> tuple[int | None, list[str] | None]:
    if event.kind != "message":
        return None, None
    data = event.data
    return hash((data["h"], data["name"], str(data["parts"]))), data.get("audience")
