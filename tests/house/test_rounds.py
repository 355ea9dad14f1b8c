"""The page on rounds says how many rounds of perfect strangers there can be, and is right."""

from __future__ import annotations

import re

from shiny_labchat.domain.grouping import most_rounds
from shiny_labchat.domain.grouping.perfect import upper_bound
from tests.support.server import ROOT

SIZES = (2, 3, 4, 5, 6)


def test_the_table_of_perfect_strangers_says_what_lobbies_allow() -> None:
    page = (ROOT / "docs" / "rounds.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \|(.*)\|$", page, re.MULTILINE)
    assert len(rows) > 20
    for people, cells in rows:
        for size, cell in zip(SIZES, cells.split("|"), strict=True):
            assert cell.strip() == _said(int(people), size), f"{people} people in groups of {size}"


def _said(people: int, size: int) -> str:
    if people % size or people < 2 * size:
        return ""
    most = most_rounds(people, size)
    return f"**{most}**" if most == upper_bound(people, size) else f"{most}"
