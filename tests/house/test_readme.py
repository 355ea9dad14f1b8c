"""What the README says is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.server import Server, shiny_run

from .code import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
RUN = "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/labchat demo"
TEST = 'python3 -m venv .venv && .venv/bin/pip install -e ".[test]" && .venv/bin/python -m tests'


def test_there_are_blocks_to_run() -> None:
    assert len(BLOCKS) >= 2


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_of_python_runs_as_it_stands(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")  # a client can be made; nobody asks it here
    block = BLOCKS[number]
    app = tmp_path / "app.py"
    app.write_text(block)
    if "shiny.express" in block or "from shiny import" in block:
        _serves(app, tmp_path)
    else:
        env = {**os.environ, "LABCHAT_URL": f"sqlite:///{tmp_path}/lab.db"}
        done = subprocess.run(
            [sys.executable, str(app)], cwd=tmp_path, env=env, capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode()


def _serves(app: Path, folder: Path) -> None:
    server = Server(shiny_run(app), f"sqlite:///{folder}/lab.db")
    server.start()
    try:
        page = httpx.get(f"http://127.0.0.1:{server.port}/")
        assert page.status_code == 200 and "labchat-room" in page.text
        assert not [line for line in server.log if "Traceback" in line or "Error" in line]
    finally:
        server.stop()


def test_the_two_commands_are_there_and_the_second_is_what_ci_runs() -> None:
    assert RUN in README and TEST in README
    assert TEST in (ROOT / ".ci" / "run").read_text()
    assert TEST in (ROOT / "CONTRIBUTING.md").read_text()


def test_every_link_to_a_file_leads_somewhere() -> None:
    for text in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        links = re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", (ROOT / text).read_text())
        for link in ("".join(pair) for pair in links):
            assert "://" in link or (ROOT / link).exists(), f"{text}: {link}"


def test_the_ci_script_is_a_script() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)


def test_every_command_shows_an_example() -> None:
    from shiny_labchat.cli import main

    assert set(main.commands) >= {"demo"}
    for name in main.commands:
        command = [sys.executable, "-c", "from shiny_labchat.cli import main; main()", name, "-h"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0 and f"labchat {name}" in done.stdout, name
