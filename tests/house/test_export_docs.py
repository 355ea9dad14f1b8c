"""What the docs say of the tables of an export is what the codebook says."""

from __future__ import annotations

import re

import pytest

from shiny_labchat.export.columns import TABLES, WIDE, Column
from shiny_labchat.export.formats import FORMATS

from .code import ROOT

PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
ALL = {
    **{f"Table {name}": columns for name, columns in TABLES.items()},
    "Tables answers-KIND": WIDE,
}


def told(heading: str) -> list[str]:
    section = re.split(r"\n##+ ", PAGE.split(f"\n### {heading}\n", 1)[1], maxsplit=1)[0]
    return [line for line in section.splitlines() if line.startswith("| `")]


def row(column: Column) -> str:
    kind = f"{column.type}, {column.unit}" if column.unit else column.type
    few = column.values if column.type != "boolean" else ()
    values = f" One of: {', '.join(few)}." if few else ""
    return f"| `{column.name}` | {kind} | {column.meaning}{values} |"


@pytest.mark.parametrize("heading", ALL)
def test_the_docs_have_every_column_as_the_codebook_has_it(heading: str) -> None:
    assert told(heading) == [row(column) for column in ALL[heading]]


def test_the_docs_have_no_other_table() -> None:
    assert set(re.findall(r"\n### (Tables? .+)\n", PAGE)) == set(ALL)


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_no_column_twice_and_each_is_explained(table: str) -> None:
    names = [column.name for column in TABLES[table]]
    assert len(set(names)) == len(names)
    assert all(column.meaning.endswith(".") for column in TABLES[table])


@pytest.mark.parametrize("name", FORMATS)
def test_the_docs_name_every_format(name: str) -> None:
    assert re.search(rf"--format [a-z,-]*{name}\b", PAGE)
