"""The package as its users have it: built as a wheel, in which the page's files are joined."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.support.server import ROOT

__all__ = ["built", "run_from", "unpacked"]

REPLACE = Path(__file__).with_name("replace.py")


def built(folder: Path) -> Path:
    """Build the wheel into a folder."""
    command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = folder.glob("*.whl")
    return wheel


def unpacked(folder: Path) -> Path:
    """Build the wheel, and unpack it into a folder, as an installation does."""
    with zipfile.ZipFile(built(folder)) as wheel:
        wheel.extractall(folder)
    return folder


def run_from(folder: Path, command: list[str]) -> list[str]:
    """The command that does the same with the package in this folder."""
    return [str(REPLACE), str(folder), *command]
