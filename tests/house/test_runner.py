"""What runs the tests: it leaves no process behind, and names long files."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.runner.durations import by_file, times_of
from tests.runner.report import long_files
from tests.runner.steps import NAMES, Result, all_steps

from .code import ROOT

MARK = "LABCHAT_TESTS_RUN"
"""In the environment of a run and of everything that it starts."""
EVASIVE = """
import subprocess, sys
wait = "import signal; signal.pause()"
ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); "
orphan = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {wait!r}])"
python = [sys.executable, "-c"]
resists = subprocess.Popen([*python, ignore + wait], stdout=subprocess.PIPE)
resists.stdout.readline()
subprocess.Popen([*python, wait], start_new_session=True)
subprocess.run([*python, orphan])
subprocess.run([*python, wait + " # the last"])
"""
"""Starts one that ignores SIGTERM, one that leaves the session, one that has lost its parent."""
ONE_STEP = f"""
import sys
from pathlib import Path
from tests.runner.processes import ended_by_signals
from tests.runner.steps import Step
with ended_by_signals(print):
    Step("evasive", lambda: [sys.executable, "-c", {EVASIVE!r}], Path.cwd()).run(print)
"""

FLAWS = """
import pathlib, pytest, unittest

def test_good(): pass

def test_slow_at_first():
    seen = pathlib.Path("seen")
    was_there = seen.exists()
    seen.touch()
    assert was_there

def test_wrong(): assert not pathlib.Path("wrong").exists()

def test_skipped():
    if pathlib.Path("skipped").exists(): raise unittest.SkipTest("not here")

@pytest.mark.parametrize("k", range(5))
def test_many(k): assert not pathlib.Path("many").exists()
"""
"""One test fails once only; files say which of the others fail."""

NAPS = """
import threading, pytest

@pytest.mark.parametrize("k", [0, 1])
def test_long(k): threading.Event().wait(0.2 * k)

class TestsOfAClass:
    def test_short(self): pass
"""


class Run:
    """A run, and all processes that belong to it, wherever they went."""

    def __init__(self, *command: str) -> None:
        self._mark = secrets.token_hex(8)
        self._process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, MARK: self._mark},
            stdout=subprocess.PIPE,
            text=True,
        )

    def processes(self) -> list[str]:
        """The commands of those that live."""
        return [" ".join(process.cmdline()) for process in self._living()]

    def _living(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                is_ours = process.environ().get(MARK) == self._mark
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    yield process

    def wait_until(self, is_so: Callable[[list[str]], bool], within: float = 60.0) -> None:
        """Wait until its processes are such."""
        deadline = time.monotonic() + within
        while not is_so(now := self.processes()):
            assert self._process.poll() is None, "ended too early"
            assert time.monotonic() < deadline, now
            threading.Event().wait(0.1)

    def end(self, how: signal.Signals) -> tuple[int, str]:
        """Send it a signal; gives its exit code and the last line that it printed."""
        self._process.send_signal(how)
        said, _ = self._process.communicate(timeout=30)
        return self._process.returncode, said.splitlines()[-1]

    def kill(self) -> None:
        """End whatever is left of it."""
        for process in self._living():
            process.kill()
        self._process.communicate()


Begin = Callable[..., Run]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Begins a run, which is over when the test is."""
    runs: list[Run] = []

    def begin(*command: str) -> Run:
        runs.append(Run(*command))
        return runs[-1]

    yield begin
    for run in runs:
        run.kill()


def test_a_run_that_is_asked_to_end_ends_what_it_has_started_and_says_so(begin: Begin) -> None:
    run = begin("-m", "tests", "--only", "pyright")
    run.wait_until(lambda commands: any(each.split(" ")[0].endswith("node") for each in commands))
    code, line = run.end(signal.SIGTERM)
    assert (code, line[:16]) == (143, "ended by SIGTERM")
    assert run.processes() == []


def test_ctrl_c_also_ends_those_that_resist_or_have_gone_their_own_ways(begin: Begin) -> None:
    run = begin("-c", ONE_STEP)
    run.wait_until(lambda commands: any(each.endswith("# the last") for each in commands))
    assert len(run.processes()) == 6
    code, line = run.end(signal.SIGINT)
    assert (code, line[:15]) == (130, "ended by SIGINT")
    assert run.processes() == []


def test_the_report_names_source_files_of_more_than_500_lines(tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    for name, lines in (("a.py", 501), ("b.py", 500), ("www/c.js", 777), ("d.db", 999)):
        (tmp_path / name).write_text("x\n" * lines)
    package = tmp_path.name
    assert long_files(tmp_path) == {f"{package}/a.py": 501, f"{package}/www/c.js": 777}


def test_the_slowest_tests_are_found_with_their_files(tmp_path: Path) -> None:
    (tmp_path / "test_naps.py").write_text(NAPS)
    junit = tmp_path / "junit.xml"
    command = [sys.executable, "-m", "pytest", "-q", "test_naps.py", f"--junitxml={junit}"]
    subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    times = times_of(junit)
    assert sorted(times, key=times.__getitem__)[-1] == "test_naps.py: test_long[1]"
    assert by_file(times) == {"test_naps.py": pytest.approx(sum(times.values()))}
    assert times_of(tmp_path / "none.xml") == {}


@pytest.mark.parametrize(
    ("flaws", "passed", "failed", "again"),
    [((), 9, 0, 1), (("wrong",), 8, 1, 1), (("skipped",), 8, 1, 1), (("many",), 3, 6, 0)],
)
def test_a_few_that_fail_are_run_once_more_and_the_count_says_so(
    flaws: tuple[str, ...], passed: int, failed: int, again: int, tmp_path: Path
) -> None:
    (tmp_path / "tests" / "unit").mkdir(parents=True)
    (tmp_path / "tests" / "unit" / "test_flaws.py").write_text(FLAWS)
    for flaw in flaws:
        (tmp_path / flaw).touch()
    steps = all_steps(tmp_path, tmp_path / "out", None, long=False)
    [step] = [step for step in steps if step.name == "unit"]
    first = step.run(lambda line: None)
    result = step.run_again(first, lambda line: None)
    assert (result.passed, result.failed, result.again) == (passed, failed, again)
    assert result.passed + result.failed == first.passed + first.failed == 9


def test_a_run_without_a_failure_is_not_repeated(tmp_path: Path) -> None:
    [unit] = [step for step in all_steps(ROOT, tmp_path, None, long=False) if step.name == "unit"]
    result = Result("unit", 1, 0, 1.0, "")
    assert unit.run_again(result, lambda line: None) is result


def test_every_step_has_a_name_and_contributing_lists_it(tmp_path: Path) -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = re.findall(r"`(\w+)`", page.partition("The steps are")[2].partition("\n\n")[0])
    steps = [step.name for step in all_steps(ROOT, tmp_path, None, long=False)]
    assert listed == list(NAMES) == steps


def test_the_step_that_builds_the_documentation_fails_as_the_builder_does(tmp_path: Path) -> None:
    (tmp_path / "site").touch()  # a file where the folder should be
    [step] = [step for step in all_steps(ROOT, tmp_path, None, long=False) if step.name == "docs"]
    result: Result = step.run(lambda line: None)
    assert (result.passed, result.failed) == (0, 1) and "site" in result.output
