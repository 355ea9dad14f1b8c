"""A program that takes a study home: it exports, looks at the data, and forgets somebody."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from shiny_labchat import Lab, Room
from shiny_labchat.cli import main
from shiny_labchat.export import read
from tests.support.server import ROOT

TAKE_HOME = ROOT / "tests" / "browser" / "apps" / "wanted" / "take_home.py"


@pytest.fixture
def home(tmp_path: Path, sqlite_only: None) -> Path:
    """A folder with the program alone."""
    shutil.copy(TAKE_HOME, tmp_path)
    return tmp_path


def run(home: Path) -> str:
    """Run the program; what it prints."""
    command = [sys.executable, "take_home.py"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_prints_the_messages_and_leaves_a_valid_data_set(home: Path) -> None:
    printed = run(home)
    assert "shape: (1, " in printed, "one message, as polars prints a frame"
    assert "pilot:group-1" in printed
    assert CliRunner().invoke(main, ["check", str(home / "pilot-data")]).exit_code == 0
    found = {each.name for each in (home / "pilot-data").iterdir()}
    assert {"labchat-export.json", "SHA256SUMS", "dataset_description.json", "data"} <= found
    assert {each.name for each in (home / "pilot-data" / "products").iterdir()} >= {
        "csv",
        "convokit",
        "codebook.csv",
        "study.json",
    }
    data = read(home / "pilot-data", check=True)
    assert data.messages["text"].to_list() == ["Welcome!"]
    assert data.members["member"].to_list() == ["p17"]


def test_whom_it_forgets_is_in_no_row_any_more_and_can_come_again(home: Path) -> None:
    run(home)
    lab = Lab(f"sqlite:///{home / 'pilot.db'}")
    try:
        room = lab.room("group-1", study="pilot")
        assert [each.content for each in asyncio.run(room.messages())] == ["Welcome!"]
        assert "p17" not in members_of(lab, room)
        assert b"p17" not in (home / "pilot.db").read_bytes()
    finally:
        lab.log.close()
    assert "shape: (1, " in run(home), "the same message: it was posted with an id"


def test_what_it_took_home_is_imported_by_a_command_once(home: Path) -> None:
    run(home)
    asked = ["import", str(home / "pilot-data"), "--db", str(home / "again.db")]
    said = CliRunner().invoke(main, asked)
    assert said.exit_code == 0 and said.stdout == ""
    assert "Imported pilot: 1 rooms, 3 events, 0 calls of bots" in said.stderr
    assert "There is no ledger" in said.stderr
    formats = ["--format", "csv,psych-ds,convokit", "--out", str(home / "again")]
    again = CliRunner().invoke(main, ["export", "--db", str(home / "again.db"), *formats])
    sums = [(home / name / "SHA256SUMS").read_text() for name in ("pilot-data", "again")]
    assert again.exit_code == 0 and sums[0] == sums[1]
    said = CliRunner().invoke(main, asked)
    assert said.exit_code == 1 and "has the study 'pilot' already" in said.stderr


def test_a_copy_with_the_ledger_has_forgotten_them_too(home: Path) -> None:
    run(home)
    shutil.copy(home / "pilot.db.withdrawn", home / "again.db.withdrawn")
    asked = ["import", str(home / "pilot-data"), "--db", str(home / "again.db")]
    said = CliRunner().invoke(main, asked)
    assert "Withdrew 1 people again" in said.stderr
    assert b"p17" not in (home / "again.db").read_bytes()


def members_of(lab: Lab, room: Room) -> list[str]:
    return [each.id for each in asyncio.run(room.members())]
