"""What must hold under attack: of rooms' logs, the server's own, and what people are shown."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from shiny_labchat import Room
from shiny_labchat.domain.decide import check_text
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.opaque import id_of, seq_of
from shiny_labchat.store import events_after, find_room
from tests.fuzz.attacks import ATTACKS
from tests.fuzz.users import User, key_of
from tests.support.server import Server

if TYPE_CHECKING:
    from tests.fuzz.world import World

__all__ = ["Invariants", "trouble_in"]

BOT = "secret-machine"
REST = 120.0
"""How long streams, callbacks and bots may get no further after the attack, in seconds."""
SLOWEST = 5.0
"""What 99 of 100 honest messages take at most until they are stored, in seconds."""
MEMORY = 500 * 2**20
"""
What the server may grow by under attack, in bytes. Uvicorn takes in frames of up to 16 MB before
the gateway may look at them, and each attacker can have one on the way.
"""
WRONG = re.compile(
    "Traceback|Unhandled|^ERROR|^Fatal|never (retrieved|awaited)|a socket failed|a command failed|"
    "(follower|writer|chat|callback) .* failed|(has|have) stopped|passes over|"
    "could not (be stored|let a page in)",
    re.MULTILINE,
)
"""What a healthy server never logs."""
BEGINS = re.compile("INFO|WARNING|ERROR|labchat|Fatal error|Task |Exception ")
"""How each of its notices begins; what follows belongs to it."""
EXCUSED = re.compile(r"Invalid UTF-8 sequence|self\.conn\.send_close\(1007\)")
"""Uvicorn has this of its own: it tells so with a traceback, and ends that socket alone."""


class Invariants:
    """Looks at the server, its log and its database, again and again."""

    def __init__(self, world: World, server: Server, journal: Path) -> None:
        self._world = world
        self._server = server
        self._journal = journal
        self._process = psutil.Process(server.pid)
        self._memory = self._process.memory_info().rss
        self._events: dict[str, list[tuple[int | None, list[str] | None]]] = {}
        self._cids: dict[tuple[str, str, str], int] = {}
        self._streams: Counter[str] = Counter()
        self._open: dict[tuple[str, int], str] = {}
        self._newest_end: Counter[str] = Counter()
        self._said: dict[str, set[int]] = {}
        self._handled: dict[str, Counter[int]] = {}
        self._done: Counter[tuple[str, str | None]] = Counter()
        self._by_bot: dict[str, set[int]] = {}
        self._for_bot: dict[str, set[int]] = {}

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
            f"{self._streams.total()} streams, "
            f"p99 {p99 * 1000:.0f} ms, {grown / 2**20:+.0f} MB"
        )

    def _read_journal(self, last: bool) -> None:
        lines = self._server.log[:]
        while lines and not last and not BEGINS.match(lines[-1]):
            lines.pop()  # a traceback is read whole
        del self._server.log[: len(lines)]  # only its end grows
        with self._journal.open("a", encoding="utf-8", errors="backslashreplace") as journal:
            journal.writelines(line + "\n" for line in lines)
        assert not (trouble := trouble_in(lines)), "\n".join(trouble)

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
            if event.kind == "streamed":
                of = event.data["of"]
                known[of - 1] = key_of({**_NOBODY, **event.data}), None
                self._newest_end[room.id] = event.seq

    def _check(self, room: Room, event: Event) -> None:
        assert type(event.at) is int and abs(event.at / 1e6 - time.time()) < 3600
        assert event.kind in KEYS, event
        assert event.data.keys() <= KEYS[event.kind], event
        if event.kind == "joined":
            who = event.member or ""
            isolated = room.id == "page"
            members = {*self._world.members, BOT}
            assert who.startswith("visitor-") if isolated else who in members, event
        if event.kind == "composed":
            assert event.member == BOT, event
        if event.kind == "done":
            self._check_done(room, event)
        if event.kind == "message":
            self._said.setdefault(room.id, set()).add(event.seq)
        if event.kind == "message" and event.member == BOT:
            assert event.data["parts"] == [["text", "I hear you."]], event
            self._by_bot.setdefault(room.id, set()).add(event.seq)
        elif event.kind == "message" and event.member is not None:
            self._check_said(room, event)
        elif event.kind == "message" and "id" in event.data:
            self._open[room.id, event.seq] = event.data["id"]
        if event.kind == "streamed":
            self._check_streamed(room, event)
        if event.kind == "recorded":
            self._check_handled(room, event)

    def _check_done(self, room: Room, event: Event) -> None:
        """Only who says so is done, and once; nobody can say it for those who mean well."""
        isolated = room.id == "page" and (event.member or "").startswith("visitor-")
        assert isolated or event.member in self._world.attackers, event
        self._done[room.id, event.member] += 1
        assert self._done[room.id, event.member] == 1, f"done twice: {event}"

    def _check_streamed(self, room: Room, event: Event) -> None:
        """What was streamed is all that was asked for, once."""
        word = self._open.pop((room.id, event.data["of"]))
        [[kind, text]] = event.data["parts"]
        assert (event.data["is"], kind) == ("done", "markdown"), event
        assert text == self._world.asked[word], event
        self._streams[word] += 1
        assert self._streams[word] == 1, f"streamed twice: {event}"

    def _check_handled(self, room: Room, event: Event) -> None:
        """A callback hears a message once, or is told that it has begun with it before."""
        handled = self._handled.setdefault(room.id, Counter())
        seq, again = event.data["value"]["seq"], event.data["value"]["again"]
        assert again or not handled[seq], f"handled twice: {event}"
        handled[seq] += 1

    def _check_said(self, room: Room, event: Event) -> None:
        """A person's message is exactly what was sent on that person's own socket."""
        data, member = event.data, event.member or ""
        cid = (data.get("sent") or event.cid or "").removeprefix("b:")
        [[kind, text]] = data["parts"]
        assert (kind, data["role"]) == ("text", "user"), event
        if text.lower().startswith("honest"):
            self._for_bot.setdefault(room.id, set()).add(event.seq)
        if "submitted" in data:
            made = data.get("transformed", text)  # None: its page had gone
            assert made in (text.upper(), None), event
        assert self._world.has_sent(member, cid, text), f"{member} never sent {event}"
        check_text(text)
        assert text.strip() and len(text) <= 5_000, event
        assert (room.id, member, cid) not in self._cids, f"stored twice: {event}"
        self._cids[room.id, member, cid] = event.seq

    async def compare(self) -> None:
        """What the honest have seen is the log, and what they were told is stored is."""
        await self._rest()
        for user in self._world.users:
            newest = max(*self._owed(user), self._newest_end[user.room.id], 0)
            seed = (await user.room.state()).seed
            await user.catches_up(id_of(seed, newest) if newest else "")
        await self.look()
        for user in self._world.users:
            seed = (await user.room.state()).seed
            upto = seq_of(seed, user.upto) or 0
            owed = {id_of(seed, seq): key for seq, key in self._owed(user).items() if seq <= upto}
            odd = sorted(dict(user.seen.items() ^ owed.items()))
            assert not odd, f"{user.member} has seen another room than there is: {odd}"
            assert not user.doubtful, f"{user.member} lacks of streams: {user.doubtful}"
            for cid, id in user.stored.items():
                where = user.room.id, user.member, cid
                assert id_of(seed, self._cids[where]) == id, f"{cid} is not where it was said"
        assert {room.id for room in await self._world.lab.rooms()} <= {
            "page",
            *(room.id for room in self._world.rooms),
        }

    async def _rest(self) -> None:
        """Wait until nobody streams, and all is handled; then nothing may be left out."""
        loop = asyncio.get_running_loop()
        fewest, since = sys.maxsize, loop.time()
        while await self.look() and (left := await self._left()):
            if len(left) < fewest:  # a slow machine may take long, but it must get on
                fewest, since = len(left), loop.time()
            assert loop.time() < since + REST, f"nothing done for {REST} s: {left[:50]}"
            await asyncio.wait([loop.create_future()], timeout=0.5)
        assert self._streams.keys() == self._world.asked.keys(), "streams are missing"

    async def _left(self) -> list[str]:
        left = [f"{word} in {room} has not ended" for (room, _), word in self._open.items()]
        for room in self._world.rooms:
            said, handled = self._said.get(room.id, set()), self._handled.get(room.id, {})
            left += [f"{room.id}: {seq} is not handled" for seq in said - handled.keys()]
            assert said >= handled.keys(), "what was never said is handled"
            entries = await room.audit()
            heard = {entry.seq for entry in entries if entry.outcome != "open"}
            due = self._for_bot.get(room.id, set())
            left += [f"{room.id}: the bot has not heard {seq}" for seq in due - heard]
            if not left:
                became = [entry.became or 0 for entry in entries if entry.outcome == "posted"]
                assert sorted(became) == sorted(self._by_bot.get(room.id, ())), "another record"
        return left

    def _owed(self, user: User) -> dict[int, int]:
        """The messages of the log that somebody may see, by seq."""
        return {
            seq: key
            for seq, (key, audience) in enumerate(self._events[user.room.id], 1)
            if key is not None and (audience is None or user.member in audience)
        }


def trouble_in(lines: list[str]) -> list[str]:
    """Where a log first tells of something wrong."""
    starts = [n for n, line in enumerate(lines) if BEGINS.match(line)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=False):
        notice = "\n".join(lines[start:end])
        if WRONG.search(notice) and not EXCUSED.search(notice):
            return lines[max(0, start - 5) : end]
    return []


KEYS = {
    "configured": {"seed", "title", "write", "rules", "code"},
    "joined": {"handle", "pseudonym", "role", "asked", "is_bot", "shown"},
    "removed": set(),
    "done": set(),
    "message": {"role", "h", "name", "parts", "page", "audience", "id"}
    | {"submitted", "sent", "transformed", "live", "by", "by_h", "cause", "whole"},
    "recorded": {"kind", "value"},
    "streamed": {"of", "is", "parts", "pieces"},
    "submitted": {"text", "page"},
    "composed": set(),
}
"""The kinds of events that may come about, and what each may hold."""


def _shown(event: Event) -> tuple[int | None, list[str] | None]:
    if event.kind != "message":
        return None, None
    return key_of({**event.data}), event.data.get("audience")


_NOBODY = {"h": None, "name": None}
"""Whom a programme's streams are shown as."""
