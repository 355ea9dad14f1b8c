"""
What a report shows of a study, counted from the rows of an export's tables.

The numbers are made of the same rows as the files of an export, so that both agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shiny_labchat.export.format import About, Row, Sink, Table

__all__ = ["TABLES", "BotNumbers", "Collector", "Line", "Member", "Numbers", "RoomNumbers"]

TABLES = ("flow", "members", "rooms", "messages", "bot_calls", "payments")
"""The tables that a report is made of."""
MINUTE = 60_000_000
"""A minute, in microseconds."""


@dataclass(slots=True)
class Member:
    """
    Somebody's part of the talk in a room.

    Parameters
    ----------
    name
        The pseudonym that others see; if none, the id.
    is_bot
        Whether it is a bot.
    messages, characters
        What they have written.
    share
        Their share of all characters; None: there are none.
    """

    name: str
    is_bot: bool
    messages: int
    characters: int
    share: float | None


@dataclass(slots=True)
class Line:
    """A message, for a report with text: when, by whom, whether by a bot, and what."""

    at: int
    name: str
    is_bot: bool
    text: str
    is_private: bool


@dataclass(slots=True)
class RoomNumbers:
    """
    A room.

    Parameters
    ----------
    room, condition
        Its id, and its condition in one line; "": none.
    opened, closed, reason
        When it was opened and closed, in microseconds (UTC), and why; None: it is open.
    size, bots, messages
        How many people and bots were there, and how many messages it has.
    """

    room: str
    condition: str
    opened: int | None
    closed: int | None
    reason: str
    size: int
    bots: int
    messages: int


@dataclass(slots=True)
class BotNumbers:
    """
    What a bot has done in all rooms.

    Parameters
    ----------
    outcomes
        How often its calls, and its decisions to say nothing, had which outcome.
    models
        The models and functions that it called.
    calls
        How often a model was called.
    tokens_in, tokens_out
        The tokens of prompts (cached ones, too) and of replies, as far as they are known.
    cost, unpriced
        What they cost in US dollars; and how many calls used tokens without a known price.
    seconds
        How long each model took to answer.
    """

    outcomes: Counter[str] = field(default_factory=Counter[str])
    models: set[str] = field(default_factory=set[str])
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    unpriced: int = 0
    seconds: list[float] = field(default_factory=list[float])


@dataclass(slots=True)
class Numbers:
    """
    What a report shows of a study.

    Parameters
    ----------
    flow
        By condition ("": none was drawn) and step, how many people.
    waits
        How long people have waited in lobbies, in seconds.
    rooms, members
        The rooms; and by room, its members.
    minutes
        By room and minute since its first message, how many messages.
    ends
        By end and what it pays, how many people.
    bots
        By id, the bots.
    paid, paid_people
        By kind of payment ("bonus", "end", "paid_out"), the sum in cents; and to how many people.
    currency
        The currency of payments.
    first, last
        The times of the first arrival or message and of the last message or end (UTC).
    texts
        By room, its messages; only for a report with text.
    """

    flow: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    waits: list[float] = field(default_factory=list[float])
    rooms: list[RoomNumbers] = field(default_factory=list[RoomNumbers])
    members: dict[str, list[Member]] = field(default_factory=dict[str, list[Member]])
    minutes: dict[str, Counter[int]] = field(default_factory=dict[str, Counter[int]])
    ends: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    bots: dict[str, BotNumbers] = field(default_factory=dict[str, BotNumbers])
    paid: Counter[str] = field(default_factory=Counter[str])
    paid_people: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    currency: str = ""
    first: int | None = None
    last: int | None = None
    texts: dict[str, list[Line]] = field(default_factory=dict[str, list[Line]])

    def total(self, step: str) -> int:
        """How many people came as far as a step, in all conditions."""
        return sum(steps.get(step, 0) for steps in self.flow.values())

    @property
    def messages(self) -> int:
        """How many messages there are."""
        return sum(room.messages for room in self.rooms)

    def saw(self, at: int | None) -> None:
        """Note a time."""
        if at is not None:
            self.first = at if self.first is None else min(self.first, at)
            self.last = at if self.last is None else max(self.last, at)


class Collector:
    """
    A format of an export that writes no files, and counts.

    Parameters
    ----------
    with_text
        Whether the texts of messages are kept, for a report that shows them.

    Attributes
    ----------
    numbers
        What was counted.
    """

    def __init__(self, *, with_text: bool = False) -> None:
        self.numbers = Numbers()
        self._with_text = with_text
        self._starts: dict[str, int] = {}
        self._waits: set[tuple[str, str, int]] = set()
        self._takes: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "flow": self._flow,
            "members": self._member,
            "rooms": self._room,
            "messages": self._message,
            "bot_calls": self._call,
            "payments": self._payment,
        }

    def open(self, table: Table) -> Sink | None:
        """Begin a table."""
        take = self._takes.get(table.name)
        wanted = _COLUMNS.get(table.name, ())
        return None if take is None else _Sink(table, wanted, take)

    def finish(self, about: About) -> Mapping[str, Path]:
        """There is no file."""
        return {}

    def _flow(self, row: Mapping[str, Any]) -> None:
        steps = self.numbers.flow.setdefault(row["condition"] or "", {})
        steps[row["step"]] = steps.get(row["step"], 0) + row["people"]

    def _member(self, row: Mapping[str, Any]) -> None:
        numbers, is_bot = self.numbers, row["kind_true"] == "bot"
        wait = row["member"], row["lobby"], row["lobby_at"]
        if row["wait_s"] is not None and wait not in self._waits:
            self._waits.add(wait)  # it is the same in the row of each further room
            numbers.waits.append(row["wait_s"])
        if row["is_last"] and row["end"] is not None:
            numbers.ends[row["end"], row["end_pay"] or ""] += 1
        numbers.saw(row["arrived_at"])
        numbers.saw(row["ended_at"])
        if row["room"] is not None and row["role"] in ("participant", "assistant"):
            said = row["messages"] or 0, row["characters"] or 0
            name = row["pseudonym"] or row["member"]
            found = numbers.members.setdefault(row["room"], [])
            found.append(Member(name, is_bot, *said, row["share"]))

    def _room(self, row: Mapping[str, Any]) -> None:
        self.numbers.rooms.append(
            RoomNumbers(
                *(row["room"], row["condition"] or "", row["opened_at"], row["closed_at"]),
                *(row["reason"] or "", row["size_actual"] or 0, row["bots"] or 0),
                row["messages"] or 0,
            )
        )

    def _message(self, row: Mapping[str, Any]) -> None:
        room, at = row["room"], row["sent_at"]
        start = self._starts.setdefault(room, at)
        minutes = self.numbers.minutes.setdefault(room, Counter())
        minutes[max(0, at - start) // MINUTE] += 1
        self.numbers.saw(at)
        if self._with_text:
            shown = "" if row["withdrawn"] else row["text"] or ""
            name, is_private = row["pseudonym"] or row["kind_true"], row["audience"] is not None
            line = Line(at, name, row["kind_true"] == "bot", shown, is_private)
            self.numbers.texts.setdefault(room, []).append(line)

    def _call(self, row: Mapping[str, Any]) -> None:
        bot = self.numbers.bots.setdefault(row["bot"], BotNumbers())
        bot.outcomes[row["outcome"]] += 1
        if row["provider"] is not None:
            bot.models.add(" ".join(filter(None, (row["provider"], row["model"]))))
        if not row["is_call"]:
            return
        bot.calls += 1
        bot.tokens_in += (row["tokens_in"] or 0) + (row["tokens_cached"] or 0)
        bot.tokens_out += row["tokens_out"] or 0
        bot.cost += row["cost"] or 0.0
        bot.unpriced += row["tokens_in"] is not None and row["cost"] is None
        if row["asked_at"] is not None and row["done_at"] is not None:
            bot.seconds.append((row["done_at"] - row["asked_at"]) / 1e6)

    def _payment(self, row: Mapping[str, Any]) -> None:
        self.numbers.paid[row["kind"]] += row["cents"]
        self.numbers.paid_people.setdefault(row["kind"], set()).add(row["member"])
        self.numbers.currency = row["currency"] or self.numbers.currency


_COLUMNS = {
    "flow": ("condition", "step", "people"),
    "members": ("room", "member", "is_last", "pseudonym", "kind_true", "role", "arrived_at",
                "lobby", "lobby_at", "wait_s", "ended_at", "end", "end_pay", "messages",
                "characters", "share"),
    "rooms": ("room", "condition", "opened_at", "closed_at", "reason", "size_actual",
              "bots", "messages"),
    "messages": ("room", "pseudonym", "kind_true", "audience", "text", "withdrawn", "sent_at"),
    "bot_calls": ("bot", "outcome", "provider", "model", "is_call", "tokens_in", "tokens_out",
                  "tokens_cached", "cost", "asked_at", "done_at"),
    "payments": ("member", "kind", "cents", "currency"),
}  # fmt: skip
"""The columns that are read of each table."""


class _Sink:
    """Gives the wanted columns of each row to a function."""

    def __init__(
        self, table: Table, wanted: Sequence[str], take: Callable[[Mapping[str, Any]], None]
    ) -> None:
        names = [column.name for column in table.columns]
        self._places = [(name, names.index(name)) for name in wanted]
        self._take = take

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._take({name: row[place] for name, place in self._places})

    def close(self) -> None:
        pass
