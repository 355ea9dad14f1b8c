"""What many rooms, members, messages or tokens cost, beside a tenth of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.report import from_json, medians
from tests.bench.scenarios.growth import GROWN
from tests.support.server import ROOT


@pytest.mark.long
def test_costs_grow_no_more_than_they_may_with_what_is_there(tmp_path: Path) -> None:
    """Each row says how many times its tenth it may cost; those that say nothing are only shown."""
    file = tmp_path / "growth.json"
    command = [sys.executable, "-m", "tests.bench", "--only", "growth", "--quick", "--json", file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    results = from_json(file.read_text(encoding="utf-8"))
    found = {}
    for case in {result.case for result in results}:
        found |= medians(results, case)
    rows = {grown.key(figure): figure for grown in GROWN for figure in grown.figures}
    assert found.keys() == rows.keys()
    assert {key: found[key] for key, figure in rows.items() if figure.has_grown(found[key])} == {}
