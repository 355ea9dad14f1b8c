"""
Servers whose clock shows another time than this machine's.

``python -m tests.support.clock FILE -m shiny run APP`` runs a server whose clock is as many seconds
off as the file says; what the file says may change. The clock of a database server stays as it is.
"""

from __future__ import annotations

import runpy
import sys
import time
from datetime import datetime
from pathlib import Path

from tests.support.beside import beside
from tests.support.server import shiny_run

__all__ = ["Clock"]


class Clock:
    """
    The clock of the servers of a database, which can be set.

    Parameters
    ----------
    url
        The database.
    """

    def __init__(self, url: str) -> None:
        self._file = beside(url, "offset")
        self.is_off_by(0)

    def command(self, app: Path) -> list[str]:
        """The command that serves an app file by this clock, but for its port."""
        return ["-m", "tests.support.clock", str(self._file), *shiny_run(app)]

    def is_off_by(self, seconds: float) -> None:
        """Set it to so many seconds more than it is."""
        written = self._file.with_name("offset.new")
        written.write_text(f"{seconds}")
        written.replace(self._file)

    def shows(self, time: datetime) -> None:
        """Set it to a time; it goes on from there."""
        self.is_off_by((time - datetime.now(time.tzinfo)).total_seconds())

    def goes_on(self, seconds: float) -> None:
        """Set it forward."""
        self.is_off_by(float(self._file.read_text()) + seconds)


def _set(offset: Path) -> None:
    """Have this process read such a clock."""
    right = time.time_ns

    def time_ns() -> int:
        return right() + int(float(offset.read_text()) * 1e9)

    time.time_ns = time_ns
    time.time = lambda: time_ns() / 1e9


if __name__ == "__main__":
    _, file, _, module, *_ = sys.argv
    _set(Path(file))
    del sys.argv[:3]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
