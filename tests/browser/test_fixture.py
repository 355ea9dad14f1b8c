"""The pytest fixture that users test their own apps with, in projects of theirs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from socket import socket
from typing import Any

import pytest

from tests.support.server import ROOT

PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r'^```python title="([\w.]+)"\n(.*?)^```', PAGE, re.DOTALL | re.MULTILINE))
"""The files that docs/testing.md shows, by their names."""

Runs = Callable[[dict[str, str]], subprocess.CompletedProcess[str]]


@pytest.fixture
def runs(tmp_path: Path, browser_type_launch_args: dict[str, Any]) -> Runs:
    """Run the tests of a project, given by its files, in this run's browser."""

    def run(files: dict[str, str]) -> subprocess.CompletedProcess[str]:
        project = tmp_path / "project"
        project.mkdir()
        for name, text in files.items():
            (project / name).write_text(text, encoding="utf-8")
        (tmp_path / "conftest.py").write_text(_LAUNCH.format(browser_type_launch_args))
        command = ["-m", "pytest", f"--rootdir={tmp_path}", "-q", "-p", "no:xdist"]
        return subprocess.run(
            [sys.executable, *command, str(project)], cwd=tmp_path, capture_output=True, text=True
        )

    return run


_LAUNCH = """\
import pytest

@pytest.fixture(scope="session")
def browser_type_launch_args():
    return {!r}
"""


def test_the_files_that_the_page_shows_are_a_project_whose_tests_pass(runs: Runs):
    assert FILES.keys() == {"app.py", "conftest.py", "test_app.py", "model_app.py", "test_model.py"}
    done = runs(FILES)
    tests = len(re.findall("^def test_", "".join(FILES.values()), re.MULTILINE))
    assert done.returncode == 0 and f"{tests} passed" in done.stdout, done.stdout + done.stderr
    assert "shiny_labchat" not in done.stdout, "a warning of ours"


CORE = """\
from shiny import App, ui
from shiny_labchat import chat_module_server, chat_module_ui

print("printed by the app")

def server(input, output, session):
    chat_module_server("left", room="left")

app = App(ui.page_fillable(chat_module_ui("left")), server)
"""
STUDY = """\
from shiny.express import ui
from shiny_labchat import Lab
from shiny_labchat.express import Chat

ui.page_opts(fillable=True)
chat = Chat("chat", lab=Lab("sqlite:///{folder}/study.db"))
chat.ui()
"""
TESTS = """\
from shiny_labchat.playwright import LabchatApp, StartApp

def test_a(labchat: StartApp, page):
    first: LabchatApp = labchat("core.py")
    second = labchat("core.py")
    ann = first.open(page, id="left-chat")
    [bob] = second.people(id="left-chat")
    ann.say("to the first app")
    ann.expect_messages(["to the first app"])
    bob.expect_messages([])
    bob.page.context.close()
    assert first.run(second.room("left").messages()) == []
    assert "printed by the app" in first.log and "GET" not in first.log

def test_b(labchat):
    app = labchat("core.py")
    print("its address:", app.url)
    [ann] = app.people(id="left-chat")
    ann.say("hello")
    ann.expect_latest_message("goodbye", timeout=1)

def test_c(labchat):
    labchat("study.py").people()

def test_d(labchat):
    labchat("broken.py")

def test_e(labchat):
    labchat("nowhere.py")
"""


@pytest.mark.long
def test_each_test_has_a_new_database_and_a_failure_shows_what_the_server_printed(
    runs: Runs, tmp_path: Path
):
    study = STUDY.format(folder=tmp_path)
    apps = {"core.py": CORE, "study.py": study, "broken.py": "raise ValueError('not today')\n"}
    done = runs({**apps, "conftest.py": FILES["conftest.py"], "test_it.py": TESTS})
    assert "4 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    told = dict(re.findall(r"_+ test_(\w)\[chromium\] _+\n(.*?)(?=\n___|\n===)", done.stdout, re.S))
    assert "0: " in told["b"] and "(You): hello" in told["b"]
    assert "log of core.py" in told["b"] and "printed by the app" in told["b"]
    assert f"the app uses {tmp_path}/study.db and not the test's own database" in told["c"]
    assert "not today" in told["d"]
    assert f"there is no app {tmp_path}/project/nowhere.py" in told["e"]
    address = re.search(r"its address: http://127.0.0.1:(\d+)/", told["b"])
    with socket() as probe:
        assert address and probe.connect_ex(("127.0.0.1", int(address[1]))) != 0
