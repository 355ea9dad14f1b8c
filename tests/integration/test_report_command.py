"""`labchat report`: a page whose numbers are those of the export."""

from __future__ import annotations

import asyncio
import csv
import os
import stat
import time
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result

from shiny_labchat import Lab
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.events import Event
from shiny_labchat.store import events_after, find_room
from tests.support.backend import FreshUrl
from tests.support.database import labchat
from tests.support.planted_study import PlantedStudy

MANY = 100_000 if os.environ.get("LABCHAT_LONG") == "1" else 10_000


class Tables(HTMLParser):
    """The tables of a page by their captions, as lists of rows of texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self._at = ""
        self._caption = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._at = tag
        if tag == "tr":
            self.tables.setdefault(self._caption, []).append([])
        if tag in ("td", "th"):
            self.tables[self._caption][-1].append("")

    def handle_data(self, data: str) -> None:
        if self._at == "caption":
            self._caption = data
        elif self._at in ("td", "th", "span"):
            self.tables[self._caption][-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._at = ""


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    lab = Lab(fresh_url())
    lab.log.serve()
    yield lab
    lab.log.close()


def ask(lab: Lab, *words: str) -> Result:
    return labchat(lab.url, *words)


def report(lab: Lab, *words: str) -> str:
    told = ask(lab, "report", "--out", "-", *words)
    assert told.exit_code == 0, told.output
    return told.stdout


def plant(lab: Lab, **like: Any) -> None:
    asyncio.run(PlantedStudy(**like).write(lab.log))


def rows_of(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def number(text: str) -> float:
    return float(text.replace(",", ""))


def test_the_numbers_are_those_of_the_export(lab: Lab, tmp_path: Path) -> None:
    plant(lab)
    out = tmp_path / "out"
    assert ask(lab, "export", "--out", str(out)).exit_code == 0
    tables = Tables(report(lab)).tables
    flow = {(row["condition"], row["step"]): int(row["people"]) for row in rows_of(out, "flow")}
    steps = ["arrived", "consented", "waited", "grouped", "started", "finished", "end_complete"]
    for row in tables["People"][1:]:
        condition = "" if row[0] == "none drawn" else row[0]
        assert [int(each) for each in row[1:8]] == [flow[condition, step] for step in steps]
    lost = Counter[str]()
    for (_, step), people in flow.items():
        if step.startswith("end_") and step != "end_complete" and people:
            lost[step.removeprefix("end_")] += people
    assert {row[0]: int(row[-1]) for row in tables["Ends"][1:]} == lost
    messages = Counter(row["room"] for row in rows_of(out, "messages"))
    assert {row[0]: int(row[1]) for row in tables["Messages"][1:]} == messages
    cents = sum(int(row["cents"]) for row in rows_of(out, "payments") if row["kind"] == "bonus")
    assert tables["Payments"][1][-1] == f"{cents // 100}.{cents % 100:02} GBP"
    calls = [row for row in rows_of(out, "bot_calls") if row["is_call"] == "true"]
    bot = tables["Bots"][1]
    assert int(bot[2]) == len(calls)
    assert number(bot[3]) == sum(int(row["tokens_in"]) for row in calls)
    assert number(bot[5]) == pytest.approx(sum(float(row["cost"]) for row in calls))
    waits = [row["wait_s"] for row in rows_of(out, "members") if row["wait_s"]]
    assert sum(int(row[1]) for row in tables["Waits"][1:]) == len(waits)


async def exports_of(lab: Lab) -> list[Event]:
    def read(conn: sa.Connection) -> list[Event]:
        found = find_room(conn, study_log("pilot"))
        assert found is not None
        return events_after(conn, found[0], 0, kinds=["exported"])

    return await lab.log.read(read)


def test_only_a_report_that_is_asked_for_with_text_has_it_and_is_recorded(lab: Lab) -> None:
    plant(lab)
    assert "I think that we agree" not in report(lab)
    assert asyncio.run(exports_of(lab)) == []
    assert report(lab, "--with-text").count("I think that we agree") == 6 * 40
    (event,) = asyncio.run(exports_of(lab))
    assert event.data["formats"] == ["report"] and len(event.data["people"]) == 18


def test_a_second_report_is_the_same(lab: Lab) -> None:
    plant(lab)
    assert report(lab) == report(lab)


def test_only_a_report_is_replaced_and_only_its_owner_may_read_it(lab: Lab, tmp_path: Path) -> None:
    plant(lab, groups=1)
    file = tmp_path / "report.html"
    file.write_text("<p>my notes</p>")
    told = ask(lab, "report", "--out", str(file))
    assert told.exit_code == 1 and "is no report" in told.stderr
    assert file.read_text() == "<p>my notes</p>"
    file.unlink()
    for _ in range(2):
        assert ask(lab, "report", "--out", str(file)).exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text(encoding="utf-8") == report(lab)
    assert sorted(each.name for each in tmp_path.glob("*.html*")) == ["report.html"]


@pytest.mark.parametrize(
    "like",
    [
        {"groups": 0, "lost": 0},
        {"groups": 0, "lost": 2},
        {"groups": 1, "size": 1, "bots": 0, "lost": 0},
        {"groups": 1, "messages": 0, "lost": 0},
        {"groups": 2, "conditions": ()},
        {"groups": 20, "conditions": [f"c{k}" for k in range(20)]},
    ],
    ids=str,
)
def test_odd_studies_have_a_report_that_adds_up(lab: Lab, like: dict[str, Any]) -> None:
    plant(lab, **like)
    rows = Tables(report(lab)).tables.get("People", [])[1:]
    arrived = sum(int(row[1]) for row in rows)
    assert arrived == like["groups"] * like.get("size", 3) + like.get("lost", 5)
    assert arrived == sum(int(row[7]) + int(row[8]) + int(row[9]) for row in rows)


def test_rooms_without_a_study_have_a_report(lab: Lab) -> None:
    async def talk() -> None:
        room = lab.room("lounge", study="plain")
        await room.add_member("ann")
        await room.post("Hello")

    asyncio.run(talk())
    page = report(lab)
    assert Tables(page).tables["Rooms; times in UTC"][1][:2] == ["lounge", "none drawn"]
    assert "Nobody has come to the study yet" in page


def test_names_are_no_markup(lab: Lab) -> None:
    hostile = "\"><script>alert('x')</script><img src=x onerror=alert(1)>&amp;"
    plant(lab, room=hostile, pseudonym=hostile, text=hostile, conditions=[hostile])
    page = report(lab, "--with-text")
    assert "<script" not in page and "<img" not in page
    assert "&lt;script&gt;" in page and "&amp;amp;" in page


def test_many_messages_are_reported_in_seconds(lab: Lab) -> None:
    plant(lab, groups=MANY // 200, size=4, messages=200)
    begun = time.process_time()
    assert f"{MANY:,}" in report(lab)
    assert time.process_time() - begun < 15 * MANY / 100_000 + 3, "of the processor's time"
