"""What the README says is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from .code import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
RUN = "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/labchat demo"
TEST = 'python3 -m venv .venv && .venv/bin/pip install -e ".[test]" && .venv/bin/python -m tests'


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 120


def test_the_two_commands_are_there_and_the_second_is_what_ci_runs() -> None:
    assert RUN in README and TEST in README
    assert TEST in (ROOT / ".ci" / "run").read_text()
    assert TEST in (ROOT / "CONTRIBUTING.md").read_text()


def test_every_link_to_a_file_leads_somewhere() -> None:
    for text in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        links = re.findall(r"\]\(([^)#]+)(#[^)]+)?\)", (ROOT / text).read_text())
        for link, anchor in links:
            assert "://" in link or (ROOT / link).exists(), f"{text}: {link}"
            is_page = link.endswith(".md") and "://" not in link
            if anchor and is_page:
                assert anchor[1:] in _anchors(ROOT / link), f"{text}: {link}{anchor}"


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_of_the_docs_is_named() -> None:
    named = set(re.findall(r"\(docs/([\w-]+\.md)", README))
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert named == {name for name in pages if not name.startswith(("index.", "reference-"))}


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
