"""What the bench measures on, and what it says of what it measured."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path

from rich.console import Console

from shiny_labchat import Lab
from tests.bench.clock import pause
from tests.bench.databases import Contents, Databases, Rooms
from tests.bench.options import Options
from tests.bench.report import faults, table
from tests.bench.results import Result
from tests.bench.scenarios.growth import GROWN, GROWTH
from tests.bench.scenarios.growth.grown import TENTH, WHOLE, Figure
from tests.bench.sides.ours_rooms import STUDY
from tests.bench.watching import LockWatch

from .code import ROOT

ROOMS = (
    Rooms("long", members=3, messages=300, private=2, sockets=1),
    Rooms("short-{}", 4, messages=5, sockets=2),
)


async def test_a_database_is_what_was_asked_for_and_people_can_go_on_in_it(url: str) -> None:
    path = Path(url.removeprefix("sqlite:///"))
    Databases().copy(Contents(ROOMS, expired=7), path)
    with closing(sqlite3.connect(path)) as conn:
        kinds = "SELECT count(*) FILTER (WHERE expires < 1e9), count(*) FROM token"
        assert conn.execute(kinds).fetchone() == (7, 7 + 1 + 4 * 2)
    lab = Lab(url)
    try:
        assert [room.id for room in await lab.rooms(STUDY)] == [id for r in ROOMS for id in r.ids()]
        long = lab.room("long", study=STUDY)
        messages = await long.messages()
        assert [message.audience for message in messages] == [None] * 298 + [("p1",)] * 2
        assert [member.id for member in await long.members()] == ["p0", "p1", "p2"]
        said = await long.post("one more", author="p0")
        assert said.seq == messages[-1].seq + 1 == 305
    finally:
        lab.log.close()


async def test_how_long_a_database_is_locked_is_seen(url: str) -> None:
    path = Path(url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        async with LockWatch(path).watching() as watch:
            conn.execute("BEGIN IMMEDIATE")
            await pause(0.2)
            conn.execute("ROLLBACK")
            assert watch.take() >= 100


def test_growth_is_said_at_both_sizes_and_judged_at_the_large_one() -> None:
    [grown, *_] = GROWN
    values = {grown.key(figure): 19.0 for figure in grown.figures}
    late = {key: 21.0 for key in values}
    of = {TENTH: values, WHOLE: late}
    results = [Result(GROWTH.name, "case", side, 0, found) for side, found in of.items()]
    printed = StringIO()
    Console(file=printed, width=200).print(table(GROWTH, results))
    [row] = [line for line in printed.getvalue().splitlines() if grown.figures[0].name in line]
    assert "19.0" in row and "21.0" in row and "missed" in row
    broken = Result(GROWTH.name, "case", WHOLE, 0, {}, faults=["broke off"])
    assert len(faults([*results, broken])) == 1


def test_each_thing_that_may_grow_is_measured_at_a_tenth_and_at_the_whole() -> None:
    jobs = GROWTH.plan(Options().quick())
    assert [job.side for job in jobs] == [TENTH, WHOLE] * len(GROWN)
    assert len({row.key for row in GROWTH.rows}) == len(GROWTH.rows)


def test_the_documentation_has_every_aim_of_growth() -> None:
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    listed = [line for line in page.splitlines() if line.startswith("|")]
    aims = [
        f"| {grown.what.format(f'{grown.size:,}')} | {figure.name} | below {figure.below:g} |"
        for grown in GROWN
        for figure in grown.figures
        if figure.below is not None
    ]
    assert [line for line in listed if " | below " in line] == aims


def test_a_figure_has_grown_if_it_is_more_than_so_many_times_its_tenth() -> None:
    figure = Figure("work", "work, ms", times=2, floor=10)
    assert figure.has_grown({TENTH: 11.0, WHOLE: 23.0})
    assert not figure.has_grown({TENTH: 11.0, WHOLE: 22.0})
    assert not figure.has_grown({TENTH: 0.1, WHOLE: 9.0})
    assert not Figure("work", "work, ms").has_grown({TENTH: 1.0, WHOLE: 100.0})
