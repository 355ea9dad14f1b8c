"""What calls have cost: as the rows say, whatever becomes of them, without reading them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import shiny_labchat.store
from shiny_labchat import Lab, Room
from shiny_labchat.audit import entries
from shiny_labchat.audit.prompts import Prompt
from shiny_labchat.audit.spending import Spent, spent
from shiny_labchat.domain.events import LogKey
from shiny_labchat.store import schema
from shiny_labchat.store.sqlite import connect, parse

BILL: Mapping[str, Any] = {"tokens_in": 5, "tokens_out": 7, "tokens_cached": 100, "cost": 0.25}
UNKNOWN: Mapping[str, Any] = dict.fromkeys(BILL)


def begun(conn: sa.Connection, where: LogKey, bot: str = "machine", **fields: Any) -> int:
    about = {"is_call": True, "outcome": "open", **fields}
    return entries.add(conn, 1, where, bot, seq=1, knew=1, **about)


async def test_what_was_spent_is_what_the_rows_say(lab: Lab) -> None:
    """Two studies, three bots; some calls fail, some have no price, some are fallbacks'."""
    rng = random.Random(1)
    rooms = [await lab.create_room(f"r{n}", study=f"s{n % 2}") for n in range(4)]

    def trials(conn: sa.Connection, now: int) -> None:
        for _ in range(300):
            room, bot = rng.choice(rooms), f"bot{rng.randrange(3)}"
            kinds = {"is_call": rng.random() < 0.8, "is_fallback": rng.random() < 0.2}
            key = begun(conn, room.key, bot, **kinds)
            match rng.randrange(4):
                case 0:
                    entries.settle(conn, key, outcome="failed", done=now)
                case 1:
                    entries.settle(conn, key, done=now, **UNKNOWN)
                case 2:
                    entries.settle(conn, key, done=now, **{**BILL, "cost": None})
                case _:
                    entries.settle(conn, key, done=now, **BILL)
            entries.settle(conn, key, outcome="posted", posted=now, became=1)

    await lab.log.write(trials)
    for study in ("s0", "s1"):
        rows = [e for e in await lab.audit(study) if e.is_call and not e.is_fallback]
        for bot in (None, "bot0", "bot1", "bot2"):
            mine = [e for e in rows if bot in (None, e.bot)]
            known = [e for e in mine if e.tokens_in is not None]
            assert len(mine) > len(known) > 10
            assert await lab.log.read(lambda conn, s=study, b=bot: spent(conn, s, b)) == Spent(
                calls=len(mine),
                tokens_in=105 * len(known),
                tokens_out=7 * len(known),
                cost=sum(e.cost or 0 for e in known),
                unpriced=sum(e.cost is None for e in known),
            )


async def test_what_was_spent_is_known_without_reading_the_calls(lab: Lab, room: Room) -> None:
    def look(conn: sa.Connection, now: int) -> tuple[Spent, Spent]:
        key = begun(conn, room.key, prompt=Prompt([{"role": "user"}]))
        entries.settle(conn, key, **BILL)
        before = spent(conn, "s", "machine")
        conn.execute(sa.delete(schema.audit))
        return before, spent(conn, "s", "machine")

    before, after = await lab.log.write(look)
    assert before == after == Spent(1, 105, 7, 0.25, 0)


async def test_who_was_taken_for_dead_stays_interrupted_unless_it_was_said(
    lab: Lab, room: Room
) -> None:
    """What it used is known even so."""

    def trials(conn: sa.Connection, now: int) -> None:
        for fields in ({"outcome": "dropped", "reason": "talk went on"}, {"outcome": "failed"}):
            lost = begun(conn, room.key, outcome="interrupted")
            entries.settle(conn, lost, done=now, reply="hm", **BILL)
            entries.settle(conn, lost, **fields)
        said = begun(conn, room.key, outcome="interrupted")
        entries.settle(conn, said, outcome="posted", posted=now, became=9)

    await lab.log.write(trials)
    one, two, said = await room.audit()
    for entry in (one, two):
        assert (entry.outcome, entry.reason, entry.reply) == ("interrupted", None, "hm")
        assert entry.tokens_in == 5 and entry.done is not None
    assert (said.outcome, said.became) == ("posted", 9)
    assert (await lab.log.read(lambda conn: spent(conn, "s"))).cost == 0.5


async def test_a_call_that_has_failed_was_not_interrupted(lab: Lab, room: Room) -> None:
    """Whoever ends its server meanwhile: it waited to ask again."""

    def trial(conn: sa.Connection, now: int) -> None:
        entry = begun(conn, room.key)
        entries.settle(conn, entry, outcome="failed", reason="500")
        entries.settle(conn, entry, outcome="interrupted")

    await lab.log.write(trial)
    assert [(e.outcome, e.reason) for e in await room.audit()] == [("failed", "500")]


def test_a_database_with_calls_knows_what_they_cost_when_it_is_opened(
    url: str, sqlite_file: Path
) -> None:
    """As they stood before it was kept."""
    _upgrade(url, "0004")
    calls: list[dict[str, Any]] = [
        {"provider": "OpenAI", **BILL},
        {"provider": "OpenAI", **BILL, "cost": None},
        {"provider": "OpenAI", **UNKNOWN, "outcome": "failed"},
        {"provider": "OpenAI", **BILL, "is_fallback": True},
        {"provider": "respond", **UNKNOWN},
        {"provider": None, **UNKNOWN, "is_call": False, "outcome": "silent"},
        {"provider": "OpenAI", **BILL, "bot": "other"},
    ]
    common = {"bot": "machine", "is_call": True, "is_fallback": False, "outcome": "posted"}
    common |= {"room": 1, "seq": 1, "knew": 1, "at": 1}
    engine = connect(parse(url), write=True)
    with engine.begin() as conn:
        conn.execute(sa.text("INSERT INTO room (key, study, id, seq) VALUES (1, 's', 'r', 1)"))
        conn.execute(sa.insert(schema.audit), [{**common, **call} for call in calls])
    engine.dispose()
    lab = Lab(url)
    totals = [
        lab.log.read_now(lambda conn, b=bot: spent(conn, "s", b)) for bot in ("machine", None)
    ]
    assert totals == [Spent(3, 210, 14, 0.25, 1), Spent(4, 315, 21, 0.5, 1)]
    rows = lab.log.read_now(lambda conn: entries.written(conn))
    assert [row.is_call for row in rows] == [True, True, True, True, False, False, True]
    lab.log.close()


def _upgrade(url: str, to: str) -> None:
    """Make a database as an earlier version did."""
    config = Config()
    migrations = Path(shiny_labchat.store.__file__).parent / "migrations"
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("path_separator", "os")
    config.attributes["version_table"] = "labchat_version"
    engine = connect(parse(url), write=True)
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, to)
    engine.dispose()
