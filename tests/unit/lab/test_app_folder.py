"""Where a lab without a URL lies: beside the app that makes it, however the app comes to do so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import shiny_labchat
from shiny_labchat import Lab

PACKAGE = Path(shiny_labchat.__file__).parent
OURS = [path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts]


def function_in(path: Path, code: str, **names: Any) -> Any:
    """The function `make` of some code, as if it stood in a file."""
    exec(compile(code, str(path), "exec"), names)
    return names["make"]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("LABCHAT_URL", raising=False)
    path = tmp_path / "app.py"
    path.touch()
    return path


def test_a_lab_lies_beside_the_app_that_makes_it(app: Path) -> None:
    make = function_in(app, "def make(): return Lab()", Lab=Lab)
    assert make().url == f"sqlite:///{app.parent}/labchat.db"


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_lab_that_our_own_code_makes_lies_beside_the_app_too(app: Path, path: Path) -> None:
    ours = function_in(path, "def make(): return Lab()", Lab=Lab)
    make = function_in(app, "def make(): return ours()", ours=ours)
    assert make().url == f"sqlite:///{app.parent}/labchat.db"


def test_an_installed_package_is_no_app(app: Path) -> None:
    other = function_in(Path(pytest.__file__), "def make(): return Lab()", Lab=Lab)
    make = function_in(app, "def make(): return other()", other=other)
    assert make().url == f"sqlite:///{app.parent}/labchat.db"
