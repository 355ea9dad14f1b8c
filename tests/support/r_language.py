"""R, installed when it is first needed. Where it cannot be, what asks for it fails."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support.installing import by_apt, has_apt

__all__ = ["run_r"]

PACKAGE = "r-base-core"
PATIENCE = 300.0
"""How long a script may take, in seconds."""


def run_r(script: Path, *arguments: str) -> None:
    """Run a script of R."""
    done = subprocess.run(
        [_rscript(), "--vanilla", str(script), *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"R could not run {script.name}: {done.stderr}")


def _rscript() -> str:
    tried: list[str] = []
    found = shutil.which("Rscript")
    if found is None and has_apt():
        by_apt([PACKAGE], tried, recommends=False)
        found = shutil.which("Rscript")
    if found is None:
        raise RuntimeError("\n  ".join(["R is not installed", *tried]))
    return found
