"""In the page, too, imports run downhill."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import PurePosixPath

import pytest

from .code import PACKAGE

PAGE = PACKAGE / "www"
LAYERS = (
    {"dom.js", "protocol.js"},
    {"labels.js"},
    {"page"},
    {"composer", "connection", "content", "people", "status.js"},
    {"study", "transcript"},
    {"room.js"},
    {"labchat.js", "unloaded.js"},
)
"""Folders, and files beside them, lowest first; those of one layer do not import each other."""
STEPS = {name: step for step, names in enumerate(LAYERS) for name in names}
IMPORT = re.compile(r'^import (?:[^;"]*? from )?"(?P<path>[^"]+)";', re.MULTILINE)
TYPE = re.compile(r'\bimport\("(?P<path>[^"]+)"\)')
STYLE = re.compile(r'@import "(?P<path>[^"]+)";')


def _files(suffix: str) -> list[str]:
    return sorted(path.relative_to(PAGE).as_posix() for path in PAGE.rglob(f"*{suffix}"))


def _imports(name: str, *kinds: re.Pattern[str]) -> set[str]:
    """The files that a file imports, by their path in the page."""
    source = (PAGE / name).read_text(encoding="utf-8")
    found = {match["path"] for kind in kinds for match in kind.finditer(source)}
    assert all(path.startswith(("./", "../")) for path in found), f"{name} imports by name"
    files = {(PAGE / name).parent.joinpath(path).resolve() for path in found}
    return {path.relative_to(PAGE.resolve()).as_posix() for path in files}


def _place(name: str) -> str:
    return PurePosixPath(name).parts[0]


def test_every_file_has_its_place() -> None:
    places = {_place(name) for name in _files(".js")}
    assert places == set(STEPS), "say in this file where a new folder or file belongs"
    assert all(len(PurePosixPath(name).parts) <= 2 for name in _files(".js"))
    assert {_place(name) for name in _files(".css")} == {"labchat.css", "styles"}


@pytest.mark.parametrize("name", _files(".js"))
def test_imports_run_downhill(name: str) -> None:
    """Imports of types, too: whoever names a type knows the file."""
    for other in _imports(name, IMPORT, TYPE):
        assert (PAGE / other).is_file(), f"{name} imports {other}, which is not there"
        lower = STEPS[_place(other)] < STEPS[_place(name)]
        assert lower or _place(other) == _place(name), f"{name} imports {other}"


def test_no_import_leads_back() -> None:
    """Raises `CycleError` with the files on the circle. Types may refer to each other."""
    graph = {name: _imports(name, IMPORT) for name in _files(".js")}
    assert set(TopologicalSorter(graph).static_order()) == set(graph)


@pytest.mark.parametrize("top", ["labchat.js", "room.js"])
def test_only_the_file_above_imports_the_top(top: str) -> None:
    importers = [name for name in _files(".js") if top in _imports(name, IMPORT, TYPE)]
    assert importers == {"labchat.js": [], "room.js": ["labchat.js"]}[top]


def test_every_import_is_read() -> None:
    for name in _files(".js"):
        source = (PAGE / name).read_text(encoding="utf-8")
        statements = re.findall(r"^\s*import\b", source, re.MULTILINE)
        assert len(statements) == len(IMPORT.findall(source)), f"{name} imports in another form"
        assert not re.search(r"^\s*export\b.*\bfrom\b", source, re.MULTILINE), f"{name} hands on"
        assert not re.search(r"\bimport\((?!\")", source), f"{name} imports what it computes"


def test_the_page_loads_every_style_sheet() -> None:
    assert _imports("labchat.css", STYLE) == set(_files(".css")) - {"labchat.css"}


def test_every_file_is_reached_from_the_top() -> None:
    reached: set[str] = set()
    waiting = {"labchat.js", "unloaded.js"}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= _imports(name, IMPORT, TYPE) - reached
    assert reached == set(_files(".js"))
