"""How the source looks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .code import PACKAGE, ROOT

SOURCES = [
    path
    for folder in ("shiny_labchat", "apps", "tests", ".ci")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".js", ".css", ".mako", "") and path.is_file()
    if "__pycache__" not in path.parts
]
OURS = [path for path in SOURCES if path.is_relative_to(PACKAGE)]
PAGE = [path for path in OURS if path.suffix == ".js"]
TESTS = [path for path in SOURCES if path.is_relative_to(ROOT / "tests") and path.suffix == ".py"]


def _finds(pattern: str, paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(pattern, line)
    ]


def test_there_is_something_to_look_at() -> None:
    assert len(OURS) > 40 and len(PAGE) > 20 and len(TESTS) > 20


def _bodies(path: Path) -> Iterator[tuple[str, int]]:
    """Each function, and the lines from its first statement to its last."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[ast.get_docstring(node) is not None :]
            if body:
                yield f"{path.name}: {node.name}", (body[-1].end_lineno or 0) - body[0].lineno + 1


def test_no_body_of_a_function_is_longer_than_40_lines() -> None:
    """Its docstring aside; a migration tells a story from its beginning to its end."""
    sources = [path for path in OURS if path.suffix == ".py" and "migrations" not in path.parts]
    bodies = [body for path in sources for body in _bodies(path)]
    assert len(bodies) > 500
    assert [body for body in bodies if body[1] > 40] == []


STUDIES = [
    *(
        f"apps/{name}/app.py"
        for name in ("10-hidden-profile", "14-ten-rounds", "16-moderator-model")
    ),
    "tests/integration/apps/support_group.py",
]


@pytest.mark.parametrize("study", STUDIES)
def test_a_whole_study_is_60_lines_at_most(study: str) -> None:
    assert len((ROOT / study).read_text(encoding="utf-8").splitlines()) <= 60


def test_nothing_is_left_for_later() -> None:
    assert _finds(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b", SOURCES) == []


def test_the_page_makes_no_html_of_text() -> None:
    makers = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment"
    assert _finds(makers, PAGE) == []
    assert _finds(r"\beval\(|new Function\(|setTimeout\(\s*[\"'`]", PAGE) == []


def test_the_page_loads_nothing_from_elsewhere() -> None:
    pages = [path for path in OURS if path.suffix in (".js", ".css")]
    remote = r"(import|from|url|src|href|fetch)\W+(https?:)?//"
    assert _finds(remote, pages) == []


def test_the_page_needs_nothing_that_plain_http_lacks() -> None:
    assert _finds(r"crypto\.(randomUUID\(|subtle\.)|serviceWorker\.", PAGE) == []


def test_exceptions_from_the_checks_name_their_rule() -> None:
    bare = r"#\s*(type|pyright): ignore(?!\[)|#\s*noqa(?!: [A-Z])|//\s*@ts-(ignore|nocheck)"
    assert _finds(bare, OURS) == []


def test_nothing_is_faked_in_tests_and_no_test_is_skipped() -> None:
    faked = r"monkeypatch\.(setattr|setitem)|unittest\.mock|\bMock\(|\bpatch\("
    skipped = r"pytest\.(skip|importorskip)|mark\.(skip|skipif|xfail)"
    assert _finds(f"{faked}|{skipped}", TESTS) == []


def test_no_test_sleeps_instead_of_waiting_for_what_it_means() -> None:
    sleeps = r"\b(time|asyncio|anyio)\.sleep\(|wait_for_timeout\("
    apps = ROOT / "tests" / "browser" / "apps"  # a slow handler has to be slow
    tests = [path for path in TESTS if not path.is_relative_to(apps)]
    assert _finds(sleeps, [path for path in tests if path.parent.name != "bench"]) == []
