"""The sections of a report, each of pictures with their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from statistics import mean, median

from shiny_labchat.report.charts import Bar, bars, histogram, histogram_of
from shiny_labchat.report.flow_picture import (
    MOST,
    STEPS,
    colour_of,
    conditions_in,
    flow_picture,
    losses,
)
from shiny_labchat.report.heat import ROOMS, heat, talk_of
from shiny_labchat.report.html import figure, folded, section, table
from shiny_labchat.report.numbers import Member, Numbers, RoomNumbers
from shiny_labchat.report.svg import COLOURS, number

__all__ = ["at", "sections"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NONE = "none drawn"
MOST_ROOMS = 40
"""Most rooms whose shares of talk are drawn."""
MOST_OPEN = 12
"""Most rows of the table of rooms that are shown at once."""
MOST_TEXTS = 20_000
"""Most messages that are shown with their text."""


def at(time: int | None) -> str:
    """A time as it is shown, in UTC; "": none."""
    if time is None:
        return ""
    return (_EPOCH + timedelta(microseconds=time)).strftime("%Y-%m-%d %H:%M")


def sections(numbers: Numbers) -> list[str]:
    """All sections for which there is something to show."""
    made = [
        _flow(numbers),
        _waits(numbers),
        _talk(numbers),
        _shares(numbers),
        _drop_outs(numbers),
        _bots(numbers),
        _pay(numbers),
        _rooms(numbers),
        _texts(numbers),
    ]
    return [each for each in made if each]


# ── people ───────────────────────────────────────────────────────────────────────────────────


def _flow(numbers: Numbers) -> str:
    if not numbers.total("arrived"):
        return section("flow-h", "Flow", _note("Nobody has come to the study yet."))
    head = ("condition", *STEPS.values(), "ended otherwise", "still inside")
    rows = [
        (name or _NONE, *(steps.get(step, 0) for step in STEPS), _lost(steps),
         steps.get("still_inside", 0))
        for name, steps in numbers.flow.items()
    ]  # fmt: skip
    drawn = conditions_in(numbers)
    more = f" The first {MOST} of {len(drawn)} conditions are drawn." if len(drawn) > MOST else ""
    note = (
        "How far people came, by the condition of their last group. All who arrived have ended, or "
        f"are still inside.{more}"
    )
    return section("flow-h", "Flow", _note(note),
                   figure(flow_picture(numbers), table("People", head, rows)))  # fmt: skip


def _lost(steps: Mapping[str, int]) -> int:
    return sum(people for reason, people in losses(steps) if reason != "still inside")


def _waits(numbers: Numbers) -> str:
    waits = numbers.waits
    if not waits:
        return ""
    found = histogram_of(waits)
    said = (
        f"{len(waits)} waits; median {number(median(waits))} s, mean {number(mean(waits))} s, "
        f"longest {number(max(waits))} s."
    )
    rows = [
        (f"{number(k * found.width)} to {number((k + 1) * found.width)} s", count)
        for k, count in enumerate(found.counts)
    ]
    shown = histogram("waits", "How long people waited", said, found, "seconds in the lobby")
    return section("waits-h", "Waits in lobbies", _note(said),
                   figure(shown, table("Waits", ("waited", "people"), rows)))  # fmt: skip


def _drop_outs(numbers: Numbers) -> str:
    reasons: dict[str, dict[str, int]] = {}
    for condition, steps in numbers.flow.items():
        for reason, people in losses(steps):
            if reason != "still inside":
                reasons.setdefault(reason, {})[condition] = people
    if not reasons:
        return ""
    conditions = [name for name in numbers.flow if any(name in each for each in reasons.values())]
    ordered = sorted(reasons.items(), key=lambda each: (-sum(each[1].values()), each[0]))
    drawn = conditions[:COLOURS]
    colours = {name: colour_of(numbers, name) for name in drawn}
    series = {colours[name]: name or _NONE for name in drawn}
    rows = [
        Bar(reason, [(colours[name], by[name], f"{reason}, {name or _NONE}: {by[name]}")
                     for name in drawn if name in by],
            number(sum(by.values())))
        for reason, by in ordered
    ]  # fmt: skip
    said = ", ".join(f"{reason} {sum(by.values())}" for reason, by in ordered)
    shown = bars("drop-outs", "Ends other than completing", said,
                 series if len(conditions) > 1 else {}, rows)  # fmt: skip
    cells = [(reason, *(by.get(name, 0) for name in conditions), sum(by.values()))
             for reason, by in ordered]  # fmt: skip
    head = ("end", *(name or _NONE for name in conditions), "all")
    note = "Ends other than completing, by the condition of the last group."
    if len(conditions) > COLOURS:
        note += f" The first {COLOURS} of {len(conditions)} conditions are drawn."
    return section("drop-outs-h", "Drop-outs", _note(note),
                   figure(shown, table("Ends", head, cells)))  # fmt: skip


# ── talk ─────────────────────────────────────────────────────────────────────────────────────


def _talk(numbers: Numbers) -> str:
    if not numbers.minutes:
        return ""
    found = talk_of(numbers.minutes)
    many = f"The {ROOMS} rooms with most messages, of {len(found.rooms)}." * (
        len(found.rooms) > ROOMS
    )
    said = (
        f"{number(numbers.messages)} messages in {len(found.rooms)} rooms. On average "
        f"{', '.join(number(round(each, 2)) for each in found.means[:10])} messages a minute in "
        "the first columns, of the rooms whose talk lasted so long."
    )
    totals = sorted(found.rooms.items(), key=lambda each: -sum(each[1]))
    rows = [(room, sum(counts), _per_minute(numbers, room)) for room, counts in totals]
    minutes = (
        f"a column is {found.minutes} minutes" if found.minutes > 1 else "a column is a minute"
    )
    note = f"Each row is a room, {minutes} since its first message. {many}"
    means = [
        Bar(f"minute {number(k * found.minutes)}", [(0, each, "")], number(round(each, 2)))
        for k, each in enumerate(found.means[:30])
    ]
    mean_table = table(
        "Mean messages a minute of the rooms whose talk lasted so long",
        ("minute", "messages a minute"),
        [(number(k * found.minutes), each) for k, each in enumerate(found.means)],
    )
    drawn = bars("means", "Mean messages a minute", said, {}, means)
    head = ("room", "messages", "messages a minute, to the last one")
    return section(
        "talk-h", "Messages per minute and room", _note(note),
        figure(heat(found, said), table("Messages", head, rows)),
        "<h3>On average</h3>", figure(drawn, mean_table),
    )  # fmt: skip


def _per_minute(numbers: Numbers, room: str) -> float:
    minutes = numbers.minutes[room]
    return sum(minutes.values()) / (max(minutes) + 1)


def _shares(numbers: Numbers) -> str:
    rooms = {room: _by_share(members) for room, members in numbers.members.items()}
    rooms = {room: members for room, members in rooms.items() if members}
    if not rooms:
        return ""
    drawn = dict(list(rooms.items())[:MOST_ROOMS])
    series = {0: "most", 1: "second", 2: "third", 3: "others", 4: "bots"}
    bar_rows = [
        Bar(room, _share_parts(members), f"{len(members)} wrote")
        for room, members in drawn.items()
    ]  # fmt: skip
    tops = [members[0].share or 0 for members in rooms.values()]
    said = f"Who writes most has {number(round(100 * mean(tops), 1))} % of a room's characters, on "
    said += f"average of {len(rooms)} rooms."
    first = f" The first {MOST_ROOMS} of {len(rooms)} rooms are drawn." * (len(rooms) > MOST_ROOMS)
    shown = bars("shares", "Shares of talk", said, series, bar_rows, most=1.0)
    rows = [
        (room, each.name, "bot" if each.is_bot else "person", each.messages, each.characters,
         f"{100 * (each.share or 0):.1f} %")
        for room, members in rooms.items()
        for each in members
    ]  # fmt: skip
    head = ("room", "name", "who", "messages", "characters", "share")
    return section("shares-h", "Shares of talk", _note(f"{said}{first}"),
                   figure(shown, table("Shares of all characters", head, rows)))  # fmt: skip


def _by_share(members: Sequence[Member]) -> list[Member]:
    """Those who have written, most first, and people before bots."""
    wrote = [each for each in members if each.share]
    return sorted(wrote, key=lambda each: (each.is_bot, -(each.share or 0)))


def _share_parts(members: Sequence[Member]) -> list[tuple[int, float, str]]:
    return [
        (4 if each.is_bot else min(k, 3), each.share or 0,
         f"{each.name}{' (bot)' if each.is_bot else ''}: {100 * (each.share or 0):.0f} %")
        for k, each in enumerate(members)
    ]  # fmt: skip


def _rooms(numbers: Numbers) -> str:
    if not numbers.rooms:
        return ""
    head = ("room", "condition", "people", "bots", "messages", "opened", "closed", "why")
    rows = [_room_row(room) for room in numbers.rooms]
    shown = table("Rooms; times in UTC", head, rows)
    few = len(rows) <= MOST_OPEN
    return section("rooms-h", "Rooms", folded(f"{len(rows)} rooms", shown, is_open=few))


def _room_row(room: RoomNumbers) -> tuple[object, ...]:
    counts = room.size, room.bots, room.messages
    return (room.room, room.condition or _NONE, *counts, at(room.opened), at(room.closed),
            room.reason)  # fmt: skip


# ── bots ─────────────────────────────────────────────────────────────────────────────────────

_OUTCOMES = {"posted": 0, "silent": 1, "covered": 2, "dropped": 3, "failed": 4}


def _bots(numbers: Numbers) -> str:
    if not numbers.bots:
        return ""
    series = {**{k: name for name, k in _OUTCOMES.items()}, 5: "other"}
    rows = [
        Bar(bot, _outcome_parts(each.outcomes), number(each.outcomes.total()))
        for bot, each in numbers.bots.items()
    ]
    said = "; ".join(
        f"{bot}: " + ", ".join(f"{name} {count}" for name, count in each.outcomes.most_common())
        for bot, each in numbers.bots.items()
    )
    shown = bars("bots", "What became of bots' calls and decisions", said, series, rows)
    cells = [
        (bot, ", ".join(sorted(each.models)), each.calls, each.tokens_in, each.tokens_out,
         f"{each.cost:,.4f}", each.unpriced, number(round(median(each.seconds), 2))
         if each.seconds else "", ", ".join(f"{k} {n}" for k, n in each.outcomes.most_common()))
        for bot, each in numbers.bots.items()
    ]  # fmt: skip
    head = ("bot", "models", "calls of models", "tokens in", "tokens out", "US dollars",
            "without a price", "median seconds", "outcomes")  # fmt: skip
    spent = sum(each.cost for each in numbers.bots.values())
    calls = sum(each.calls for each in numbers.bots.values())
    note = f"{number(calls)} calls of models; {spent:,.2f} US dollars, as far as prices are known."
    return section("bots-h", "Bots: calls and spend", _note(note),
                   figure(shown, table("Bots", head, cells)))  # fmt: skip


def _outcome_parts(outcomes: Mapping[str, int]) -> list[tuple[int, float, str]]:
    parts: dict[int, int] = {}
    for name, count in outcomes.items():
        kind = _OUTCOMES.get(name, 5)
        parts[kind] = parts.get(kind, 0) + count
    names = {k: name for name, k in _OUTCOMES.items()}
    return [(k, parts[k], f"{names.get(k, 'other')}: {parts[k]}") for k in sorted(parts)]


# ── pay and texts ────────────────────────────────────────────────────────────────────────────


def _pay(numbers: Numbers) -> str:
    if not numbers.ends and not numbers.paid:
        return ""
    ends = [(end, pay, people) for (end, pay), people in numbers.ends.most_common()]
    whats = {
        "bonus": "payments of the app",
        "end": "amounts of ends",
        "paid_out": "noted as sent",
    }
    sums: list[tuple[str, object, str]] = [
        (whats.get(kind, kind), len(numbers.paid_people[kind]), _money(cents, numbers.currency))
        for kind, cents in numbers.paid.items()
    ]
    due = numbers.paid["bonus"] + numbers.paid["end"] - numbers.paid["paid_out"]
    parts = [table("Ends, and what they pay", ("end", "pay", "people"), ends)] if ends else []
    if sums:
        sums.append(("still due", "", _money(due, numbers.currency)))
        parts.append(table("Payments", ("what", "people", "sum"), sums))
    return section("pay-h", "Ends and pay", *parts)


def _money(cents: int, currency: str) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02} {currency}".strip()


def _texts(numbers: Numbers) -> str:
    if not numbers.texts:
        return ""
    parts: list[str] = []
    left = MOST_TEXTS
    for room, lines in numbers.texts.items():
        if left <= 0:
            parts.append(_note(f"Only the first {MOST_TEXTS:,} messages are shown."))
            break
        said = "".join(
            f"<p><small>{at(each.at)}</small> <b>{escape(each.name)}</b>"
            f"{' <small>(bot)</small>' * each.is_bot}"
            f"{' <small>(private)</small>' * each.is_private}: {escape(each.text)}</p>"
            for each in lines[:left]
        )
        left -= len(lines)
        shown = folded(f"{room}: {len(lines)} messages", said, is_open=False)
        parts.append(f'<div class="talk">{shown}</div>')
    return section("texts-h", "What was written", *parts)


def _note(words: str) -> str:
    return f'<p class="note">{escape(words)}</p>'
