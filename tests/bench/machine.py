"""What it was measured on, and whether that was idle."""

from __future__ import annotations

import os
import platform
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from tests.bench.clock import beats, now
from tests.bench.tally import quantile

__all__ = ["Machine"]

PACKAGES = "shiny", "shinychat", "starlette", "uvicorn", "websockets", "sqlalchemy"
BUSY = 10.0
"""Percent of the processors in use from which on figures say little."""
WRITES, PER_SECOND = 200, 20.0
"""As in a conversation: what a disk does now and then, it does not do in a quick test."""


@dataclass(frozen=True, slots=True)
class Machine:
    """
    The machine before anything was measured.

    Parameters
    ----------
    in_use
        How much of its processors others used, in percent.
    sync_p50, sync_p99, sync_worst
        How long this folder's disk takes to keep 4 kB for good, in milliseconds. Each message
        of ours waits for that once.
    """

    in_use: float
    sync_p50: float
    sync_p99: float
    sync_worst: float

    @classmethod
    async def look(cls) -> Machine:
        """Look at it for some ten seconds."""
        psutil.cpu_percent()
        took = await _syncs()
        in_use = psutil.cpu_percent()
        return cls(in_use, quantile(took, 0.5), quantile(took, 0.99), took[-1])

    def __str__(self) -> str:
        slow = f"p99 {self.sync_p99:.0f} ms, worst {self.sync_worst:.0f} ms"
        disk = f"the disk keeps 4 kB in {self.sync_p50:.1f} ms ({slow})"
        idle = f"others use {self.in_use:.0f} % of {os.cpu_count()} processors"
        return f"Before: {disk}; {idle}."

    @property
    def is_busy(self) -> bool:
        """Whether something else was running."""
        return self.in_use >= BUSY

    def as_dict(self) -> dict[str, Any]:
        """All of it, for the record."""
        return {
            **asdict(self),
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "packages": {name: version(name) for name in PACKAGES},
        }


async def _syncs() -> list[float]:
    took: list[float] = []
    with tempfile.NamedTemporaryFile(prefix=".bench-", dir=Path.cwd()) as file:
        async for _ in beats(WRITES, PER_SECOND):
            start = now()
            os.write(file.fileno(), bytes(4096))
            os.fsync(file.fileno())
            took.append(1000 * (now() - start))
    return sorted(took)
