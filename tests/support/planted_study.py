"""A whole study, written into a database at once, as if it had taken place at some times."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from shiny_labchat.audit import entries
from shiny_labchat.audit.prompts import Prompt
from shiny_labchat.domain.commands.lobby import lobby_log
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.ends import End, data_of
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.store import Log
from shiny_labchat.store.queries import append_events, insert_events, insert_room, row_of

__all__ = ["PlantedStudy"]

SECOND = 1_000_000
START = 1_796_040_000 * SECOND
"""30 November 2026."""


@dataclass
class PlantedStudy:
    """
    What the study is like.

    Parameters
    ----------
    groups, size
        How many groups, of how many people.
    conditions
        The conditions, in turn; empty: none are drawn.
    messages
        How many messages each group has.
    lost
        How many people came and got no group.
    bots
        How many bots are in each room.
    name, room, pseudonym, text
        Its name, and the beginnings of the ids of rooms, of names, and of messages.
    """

    groups: int = 6
    size: int = 3
    conditions: Sequence[str] = ("private", "public")
    messages: int = 40
    lost: int = 5
    bots: int = 1
    name: str = "pilot"
    room: str = "talk"
    pseudonym: str = "Otter"
    text: str = "I think that we agree"
    seed: int = 7
    _events: dict[LogKey, list[Event]] = field(default_factory=dict[LogKey, list[Event]])

    async def write(self, log: Log) -> None:
        """Write it."""
        self._plan()
        await log.write(lambda conn, now: self._insert(conn))

    def _add(self, key: LogKey, at: float, kind: str, member: str | None = None, /,
             **data: Any) -> int:  # fmt: skip
        events = self._events.setdefault(key, [])
        when = START + int(at * SECOND)
        if events:
            when = max(when, events[-1].at)
        events.append(Event(len(events) + 1, when, kind, member, data))
        return len(events)

    def _plan(self) -> None:
        rng = random.Random(self.seed)
        study, lobby = study_log(self.name), lobby_log(self.name, "lobby")
        ends = {"complete": data_of(End("C1")), "lobby_timeout": data_of(End("LT", pay=1.5))}
        settings = {"contact": "lab@example.org", "currency": "GBP", "ends": ends,
                    "purpose": "How groups agree", "board": "board 2026-117",
                    "consent": {"text": "You will talk.", "version": "1", "items": {},
                                "required": []}}  # fmt: skip
        self._add(study, 0, "configured", None, seed="7", settings=settings, code=settings)
        self._add(lobby, 0, "configured", None, settings={}, code={})
        number = 0
        for group in range(self.groups):
            start = 60.0 * group
            people = [f"p{number + k}" for k in range(self.size)]
            number += self.size
            for person in people:
                self._enter(study, lobby, person, start + rng.uniform(0, 20))
            self._group(group, people, start + rng.uniform(25, 140), rng)
        for k in range(self.lost):
            person, at = f"lost{k}", 60.0 * k
            self._enter(study, lobby, person, at)
            self._add(lobby, at + 300, "left", person, reason="lobby_timeout")
            reason = ("lobby_timeout", "no_consent", "idle")[k % 3]
            self._add(study, at + 300, "ended", person, reason=reason)

    def _enter(self, study: LogKey, lobby: LogKey, person: str, at: float) -> None:
        self._add(study, at, "arrived", person, device="desktop", language="en")
        self._add(study, at + 2, "consented", person, version="1", answers={})
        self._add(study, at + 3, "entered", person, lobby="lobby")
        self._add(lobby, at + 3, "entered", person)

    def _group(self, group: int, people: Sequence[str], at: float, rng: random.Random) -> None:
        study, room = study_log(self.name), LogKey(self.name, f"{self.room}-{group + 1}")
        condition = self.conditions[group % len(self.conditions)] if self.conditions else None
        grouped: dict[str, Any] = {"lobby": "lobby", "number": group + 1, "room": room.id,
                                   "people": list(people)}  # fmt: skip
        if condition is not None:
            grouped["condition"] = condition
        for key in (study, lobby_log(self.name, "lobby"), room):
            self._add(key, at, "grouped", None, **grouped)
        bots = [f"bot{k}" for k in range(self.bots)]
        for k, member in enumerate([*bots, *people]):
            told = {"is_bot": True, "shown": "participant"} if member in bots else {}
            role = "assistant" if member in bots else "participant"
            self._add(room, at, "joined", member, handle=f"h{k}", asked=None, role=role,
                      pseudonym=f"{self.pseudonym} {k + 1}", **told)  # fmt: skip
        for key in (study, room):
            self._add(key, at, "shown", None, room=room.id)
        self._add(room, at, "started", None, by="all_present", present=list(people))
        self._talk(room, [*people, *people[:1], *bots], at, rng)
        self._add(room, at + 600, "closed", None, reason="time")
        for k, person in enumerate(people):
            is_out = rng.random() < 0.15
            self._add(study, at + 610 + k, "paid", person, key="group", cents=50)
            self._add(study, at + 620 + k, "ended", person,
                      reason="withdrew" if is_out else "complete")  # fmt: skip

    def _talk(self, room: LogKey, members: Sequence[str], at: float, rng: random.Random) -> None:
        times = sorted(rng.uniform(5, 595) for _ in range(self.messages))
        for k, when in enumerate(times):
            member = rng.choice(members)
            words = f"{self.text} {'on that ' * rng.randrange(8)}{k}"
            self._add(room, at + when, "message", member, parts=[["text", words]],
                      role="user", name=f"{self.pseudonym} of {member}")  # fmt: skip

    def _insert(self, conn: sa.Connection) -> None:
        moves: list[tuple[int, int, int]] = []
        for key, events in self._events.items():
            number = insert_room(conn, key)
            insert_events(conn, [row_of(number, each) for each in events])
            moves.append((number, 0, len(events)))
            if key.kind == "room":
                self._audit(conn, key, events)
        assert append_events(conn, [], sorted(moves))

    def _audit(self, conn: sa.Connection, room: LogKey, events: Sequence[Event]) -> None:
        for each in events:
            bot = each.member or ""
            if each.kind == "message" and bot.startswith("bot"):
                about: dict[str, Any] = {"seq": each.seq - 1, "knew": each.seq - 1,
                                         "is_fallback": False}  # fmt: skip
                if each.seq % 2:
                    entries.add(conn, each.at, room, bot, outcome="silent", reason="when",
                                is_call=False, **about)  # fmt: skip
                key = entries.add(conn, each.at, room, bot, outcome="posted", is_call=True,
                                  provider="OpenAI", model="gpt-4.1", prompt=Prompt([]),
                                  asked=each.at - 2 * SECOND, **about)  # fmt: skip
                entries.settle(conn, key, tokens_in=100, tokens_out=20, tokens_cached=0,
                               cost=0.0004, done=each.at - SECOND, became=each.seq)  # fmt: skip
