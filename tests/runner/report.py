"""What a run shows while it goes on, and at its end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from tests.runner.durations import by_file
from tests.runner.steps import Result

__all__ = ["Report", "long_files"]

EVERY = 60.0
"""Where there is no terminal, a step that takes long says so this often, in seconds."""
LONG_FILE = 500
"""Lines of a source file above which the report names it: a person decides whether to divide it."""


class Report:
    """
    Shows a bar on a terminal, plain lines elsewhere.

    Parameters
    ----------
    steps
        How many steps there will be.
    """

    def __init__(self, steps: int) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._is_live = self._console.is_terminal and not os.environ.get("CI")
        self._steps = steps
        self._done = 0

    def say(self, text: str) -> None:
        """Print one line."""
        self._console.print(Text(text))

    @contextmanager
    def running(self, name: str) -> Iterator[Callable[[str], None]]:
        """Show that a step runs; gives what shall be called with each line of its output."""
        if self._is_live:
            yield from self._bar(name)
        else:
            self.say(f"[{self._done + 1}/{self._steps}] {name}")
            yield self._plain(name)
        self._done += 1

    def _bar(self, name: str) -> Iterator[Callable[[str], None]]:
        columns = (
            SpinnerColumn(),
            MofNCompleteColumn(),
            BarColumn(20),
            TextColumn("{task.description}", markup=False),
        )
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task(name, total=self._steps, completed=self._done)
            yield lambda line: progress.update(task, description=f"{name}: {line[:60]}")

    def _plain(self, name: str) -> Callable[[str], None]:
        said = time.monotonic()

        def line(text: str) -> None:
            nonlocal said
            if time.monotonic() - said > EVERY:
                said = time.monotonic()
                self.say(f"    {name}: {text[:90]}")

        return line

    def finished(self, result: Result) -> None:
        """Say how a step went, and show all it said if it failed."""
        if result.failed:
            self._console.print(Text(result.output.rstrip()))
        word = "failed" if result.failed else "ok"
        self.say(f"    {result.name}: {word}, {result.seconds:.1f} s")

    def finished_again(self, result: Result) -> None:
        """Say what came of the tests that were run once more."""
        self.say(f"    {result.name}, run again: {result.again} passed, {result.failed} failed")

    def slowest(self, results: Sequence[Result], number: int) -> None:
        """The slowest tests, and the slowest files of tests, of all steps together."""
        times = {name: seconds for result in results for name, seconds in result.times.items()}
        for found in (by_file(times), times):
            for name, seconds in sorted(found.items(), key=lambda each: -each[1])[:number]:
                self.say(f"{seconds:8.1f} s  {name}")

    def summary(self, results: Sequence[Result], package: Path) -> None:
        """The table, the package's long files, and the line that counts."""
        table = Table("step", title="shiny_labchat")
        for column in ("passed", "failed", "again", "seconds"):
            table.add_column(column, justify="right")
        for result in results:
            style = "red" if result.failed else None
            counts = (str(result.passed), str(result.failed), str(result.again or ""))
            table.add_row(result.name, *counts, f"{result.seconds:.1f}", style=style)
        self._console.print(table)
        for name, lines in long_files(package).items():
            self.say(f"{name} has {lines} lines: more than {LONG_FILE}")
        passed = sum(result.passed for result in results)
        failed = sum(result.failed for result in results)
        again = sum(result.again for result in results)
        self._console.print(f"{passed} passed, {failed} failed", style="bold")
        if again:
            self.say(f"{again} of those that passed had failed beside other tests")


def long_files(package: Path) -> dict[str, int]:
    """The package's source files of more than `LONG_FILE` lines, with how many they have."""
    found: dict[str, int] = {}
    for path in sorted(package.rglob("*")):
        if path.suffix in (".py", ".js", ".css"):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > LONG_FILE:
                found[path.relative_to(package.parent).as_posix()] = lines
    return found
