"""docs/architecture.md names files and tests that there are, and every wing."""

from __future__ import annotations

import re

import pytest

from .code import ROOT

PACKAGE = ROOT / "shiny_labchat"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([^`\n]+)`", PAGE)
FILES = sorted({name for name in NAMED if re.fullmatch(r"[\w/]+\.(py|js|css)|[\w/]+/", name)})
TESTS = sorted({name for name in NAMED if re.fullmatch(r"test_\w+", name)})
FOLDERS = (ROOT, PACKAGE, PACKAGE / "chat", PACKAGE / "www")


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_named_is_there(name: str) -> None:
    assert any((folder / name).exists() for folder in FOLDERS)


def test_a_test_that_is_named_is_there() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    written = set(re.findall(r"def (test_\w+)", "\n".join(sources)))
    assert len(TESTS) > 10 and set(TESTS) <= written


def test_every_wing_is_described() -> None:
    wings = {f"{path.name}/" for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    ground = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert wings | ground | {"www/"} <= set(FILES)
