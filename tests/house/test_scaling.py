"""The page about many people says what was measured, computed and simulated."""

from __future__ import annotations

from tests.scaling.costs import Costs
from tests.scaling.pages import tables

from .code import ROOT


def test_the_page_has_the_tables_of_the_costs_that_were_measured() -> None:
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert [table for table in tables(Costs.measured()) if table not in page] == []
