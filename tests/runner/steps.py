"""The steps of a run: what each starts, and how it is counted."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.runner.durations import times_of
from tests.runner.processes import end_tree, started
from tests.support.backend import BACKENDS
from tests.support.typescript import tsc

__all__ = ["NAMES", "Result", "Step", "all_steps", "on_backends"]

SUITES = ("unit", "contract", "house", "integration", "browser")
NAMES = ("ruff", "format", "pyright", "tsc", "docs", *SUITES)
FOREMOST = "postgresql+nats"
"""On which backend the suites of `WHOLE` pass whole, besides the usual run's; there are workers."""
WHOLE = ("contract", "integration")
TOLD = {
    "contract": ("test_callbacks", "test_handled", "test_hearing", "test_peers", "test_people"),
    "integration": (
        *("test_buses", "test_callbacks", "test_presence", "test_stopping", "test_talking"),
        "test_two_studies",
    ),
    "browser": (
        *("test_handlers", "test_presence", "test_reconnect", "test_streams", "test_studies"),
        "test_talking",
    ),
}
"""By suite, the files of what processes tell one another, or do in place of one another."""
AT_ONCE = {"integration": 2}
"""How many tests of a suite run at the same time, where they wait more than they work."""
LONGEST = 60 * 60
"""Seconds after which a step counts as hanging."""
MOST_AGAIN = 5
"""How many failed tests of a suite are run once more; where more fail, none is."""


@dataclass(frozen=True)
class Result:
    """
    What a step came to.

    Attributes
    ----------
    times
        The seconds that each of its tests took.
    again
        How many of those that passed had failed at first.
    """

    name: str
    passed: int
    failed: int
    seconds: float
    output: str
    times: Mapping[str, float] = field(default_factory=dict[str, float])
    again: int = 0


@dataclass(frozen=True)
class Step:
    """
    One process, whose exit status or junit file says how it went.

    Parameters
    ----------
    command
        Gives the command; may install what it needs, and may fail.
    junit
        Where pytest counts its tests; None: the step counts as one.
    may_be_empty
        Whether it is no failure that no test was chosen.
    longest
        Seconds after which it counts as hanging.
    is_beside
        Whether it runs beside the others.
    again
        The command that runs only the tests that failed; None: there is no such command.
    """

    name: str
    command: Callable[[], Sequence[str]]
    cwd: Path
    junit: Path | None = None
    may_be_empty: bool = False
    longest: float = LONGEST
    is_beside: bool = False
    again: Sequence[str] | None = None

    def run(self, progress: Callable[[str], None]) -> Result:
        """Run it to its end; `progress` is told each line."""
        return self._run(self.command, progress)

    def run_again(self, first: Result, progress: Callable[[str], None]) -> Result:
        """
        Run the few tests that failed once more, and give what came of both runs.

        Two suites share a machine, and what waits for a person's eyes or a clock may wait in vain
        there. Call this when nothing else runs: what fails then, too, is a fault.
        """
        again = self.again
        if again is None or not 0 < first.failed <= MOST_AGAIN:
            return first
        second = self._run(lambda: again, progress)
        return replace(
            first,
            passed=first.passed + second.passed,
            failed=first.failed - second.passed,
            seconds=first.seconds + second.seconds,
            output=first.output + second.output,
            again=second.passed,
        )

    def _run(self, command: Callable[[], Sequence[str]], progress: Callable[[str], None]) -> Result:
        start = time.monotonic()
        try:
            status, output = _output_of(command(), self.cwd, self.longest, progress)
        except (OSError, subprocess.SubprocessError) as exc:
            status, output = 1, str(exc)
        passed, failed = self._count(status)
        times = {} if self.junit is None else times_of(self.junit)
        return Result(self.name, passed, failed, time.monotonic() - start, output, times)

    def _count(self, status: int) -> tuple[int, int]:
        if self.junit is None:
            return int(status == 0), int(status != 0)
        if status == 5 and self.may_be_empty:
            return 0, 0
        try:
            suites = ET.parse(self.junit).getroot().iter("testsuite")
            counts = [
                tuple(int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped"))
                for suite in suites
            ]
        except (OSError, ET.ParseError):
            return 0, 1
        # A test whose teardown fails too is counted twice by pytest, hence no less than 0.
        failed = sum(sum(count[1:]) for count in counts)
        passed = max(0, sum(count[0] for count in counts) - failed)
        return passed, failed or int(status != 0)


def all_steps(root: Path, folder: Path, expression: str | None, long: bool) -> list[Step]:
    """Every step of the usual run, in order; what they write goes to `folder`."""
    python = sys.executable
    code = ["shiny_labchat", "apps", "tests", "hatch_build.py"]
    checks = [
        Step("ruff", lambda: [python, "-m", "ruff", "check", *code], root),
        Step("format", lambda: [python, "-m", "ruff", "format", "--check", *code], root),
        Step("pyright", lambda: [python, "-m", "pyright", "--pythonpath", python], root),
        Step("tsc", lambda: [*tsc(), "--project", "tsconfig.json", "--checkJs"], root),
        Step("docs", lambda: [python, "-m", "tests.docs", str(folder / "site")], root),
    ]
    return [*checks, *(_suite(name, root, folder, expression, long) for name in SUITES)]


def on_backends(
    root: Path, folder: Path, expression: str | None, long: bool, backend: str | None = None
) -> list[Step]:
    """
    The steps of suites on one backend, or those on all that a long run has besides the usual one.

    On a backend that is asked for, the suites are whole. All on all would take hours: what differs
    between them is which engine stores, which every test of a whole suite checks once, and what
    tells other processes of it, for which there are the files of `TOLD`.
    """
    if backend is not None:
        return [_suite(suite, root, folder, expression, long, backend) for suite in TOLD]
    wanted = [(suite, each) for suite in WHOLE for each in BACKENDS[1:]]
    return [
        _suite(suite, root, folder, expression, long, each, _files(suite, each))
        for suite, each in [*wanted, ("browser", FOREMOST)]
    ]


def _files(suite: str, backend: str) -> tuple[str, ...]:
    return () if suite in WHOLE and backend == FOREMOST else TOLD[suite]


def _suite(
    suite: str,
    root: Path,
    folder: Path,
    expression: str | None,
    long: bool,
    backend: str | None = None,
    files: Sequence[str] = (),
) -> Step:
    """The step of a suite, or of some of its files (none named: of all)."""
    name = suite if backend is None else f"{suite}@{backend}"
    junit = folder / f"{name}.xml"
    tests = [f"tests/{suite}/{name}.py" for name in files] or [f"tests/{suite}"]
    command = [sys.executable, "-m", "pytest", *tests, f"--junitxml={junit}", "-ra"]
    command += ["-o", f"cache_dir={folder / name}"]
    if backend is not None:
        command += ["--backend", backend]
    again = [*command, "--last-failed", "--last-failed-no-failures=none"]
    if suite in AT_ONCE:
        command += ["-n", f"{AT_ONCE[suite]}", "--dist", "worksteal"]
    if expression is not None:
        command += ["-k", expression]
    if long:
        command += ["-o", "faulthandler_timeout=1500"]
    else:
        command += ["-m", "not long"]
    longest = 2 * LONGEST if long else LONGEST
    is_empty = expression is not None
    is_beside = name == "browser"  # that of the usual run
    return Step(name, lambda: command, root, junit, is_empty, longest, is_beside, again)


def _output_of(
    command: Sequence[str], cwd: Path, longest: float, progress: Callable[[str], None]
) -> tuple[int, str]:
    lines: list[str] = []
    hangs = threading.Event()

    def end(process: subprocess.Popen[str]) -> None:
        hangs.set()
        end_tree(process)

    with started(command, cwd) as process:
        assert process.stdout is not None
        alarm = threading.Timer(longest, end, [process])
        alarm.start()
        try:
            for line in process.stdout:
                lines.append(line)
                progress(line.rstrip())
        finally:
            alarm.cancel()
    if hangs.is_set():
        lines.append(f"took longer than {longest:.0f} s and was ended\n")
    return process.returncode, "".join(lines)
