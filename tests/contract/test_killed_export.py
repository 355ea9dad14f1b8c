"""A process is killed while it exports, and somebody stops waiting for an export."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path

import pytest

from shiny_labchat import Lab
from shiny_labchat.export.folder import SUMS, new_folder, put_in_place
from tests.support.large_log import fill

MESSAGES = 3_000
PATIENCE = 600
"""How long a program may take to begin on a busy machine, in seconds."""


def is_whole(folder: Path) -> bool:
    """Whether all files of an export have the hashes that it says."""
    for line in (folder / SUMS).read_text().splitlines():
        digest, name = line.split("  ")
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            return False
    return True


async def test_whenever_it_is_killed_the_old_export_is_whole(lab: Lab, tmp_path: Path) -> None:
    await fill(lab, MESSAGES, rooms=2)
    folder = tmp_path / "out"
    await lab.export(folder)
    command = sys.executable, "-m", "tests.contract.exporting", lab.url, str(folder)
    for lines in (1, 4, 9, 15, 22):  # so often it says how far it is
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            for _ in range(lines):
                await process.stdout.readline()
        process.kill()
        await process.wait()
        assert is_whole(folder)
    await lab.export(folder)
    left = [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")]
    assert is_whole(folder) and left == [], "what the killed ones have left is gone"


async def test_who_stops_waiting_stops_the_export_and_keeps_the_old_one(
    lab: Lab, tmp_path: Path
) -> None:
    await fill(lab, MESSAGES, rooms=2)
    folder = tmp_path / "out"
    await lab.export(folder)
    before = (folder / SUMS).read_bytes()
    begun = asyncio.Event()
    export = asyncio.create_task(lab.export(folder, progress=lambda done, total: begun.set()))
    await begun.wait()
    export.cancel()
    with pytest.raises(asyncio.CancelledError):
        await export
    assert (folder / SUMS).read_bytes() == before and is_whole(folder)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []


def test_one_that_was_killed_between_two_renamings_is_put_back(tmp_path: Path) -> None:
    """Where the system cannot exchange two folders in one step."""
    outer = tmp_path / ".out.labchat-killed"
    (outer / "old").mkdir(parents=True)
    (outer / "old" / "messages.csv").write_text("the old one")
    with new_folder(tmp_path / "out") as made:
        assert (tmp_path / "out" / "messages.csv").read_text() == "the old one"
        (made / "messages.csv").write_text("the new one")
        put_in_place(made, tmp_path / "out")
    assert (tmp_path / "out" / "messages.csv").read_text() == "the new one"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
