"""
Imports run downhill between the wings, without a circle inside one, and Shiny stays below its line.

`docs/architecture.md` says what each wing is for. A new file needs no entry here; a new wing does.
"""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

import pytest

from .code import PACKAGE, imports, modules

ABOVE = (
    {
        "arguments",
        "caches",
        "concurrency",
        "errors",
        "garbage",
        "metrics",
        "public",
        "storable",
        "urls",
    },
    {"blocking", "words"},
    {"domain"},
    {"bus"},
    {"models", "protocol", "store"},
    {"access", "audit", "callbacks", "streams", "study_protocol"},
    {"export", "live"},
    {"gateway", "lab", "report"},
    {"bots", "doctor", "study"},
)
"""Above the Shiny line, lowest first; wings on one step do not import each other."""
BELOW = (
    {"chat"},
    {"lobby"},
    {"demo", "express", "module"},
    {""},
    {"cli", "playwright"},
)
STEPS = {wing: step for step, wings in enumerate(ABOVE + BELOW) for wing in wings}
PURE = ("domain", "protocol", "study_protocol", "words")
IMPURE = {"time", "random", "secrets", "asyncio", "threading", "os", "sqlalchemy", "pathlib"}
SHINYS = {"shiny", "shinychat", "htmltools", "playwright"}


def wing_of(module: str) -> str:
    return module.split(".")[0]


def ours(name: str) -> list[str]:
    """The modules of the package that a module imports, the package's own name left out."""
    return [i.removeprefix("shiny_labchat").lstrip(".") for i in _imported(name, "shiny_labchat")]


def _imported(name: str, package: str) -> list[str]:
    return [i for i in imports(modules()[name]) if i.split(".")[0] == package]


def test_every_wing_has_its_place() -> None:
    assert {wing_of(name) for name in modules()} == set(STEPS), "say here where a new wing belongs"


@pytest.mark.parametrize("name", modules())
def test_imports_run_downhill(name: str) -> None:
    for other in ours(name):
        here, there = wing_of(name), wing_of(other)
        assert here == there or STEPS[there] < STEPS[here], (
            f"{name or PACKAGE.name} imports {other}"
        )


@pytest.mark.parametrize("wing", STEPS)
def test_the_files_of_a_wing_have_no_circle(wing: str) -> None:
    inside = {name for name in modules() if wing_of(name) == wing}
    arrows = {name: with_packages(name, ours(name)) & inside - {wing} for name in inside}
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as exc:
        pytest.fail(" imports ".join(reversed(exc.args[1])))


def with_packages(name: str, imported: Iterable[str]) -> set[str]:
    """Modules that a module imports, and the packages that Python imports before them."""
    pieces = [module.split(".") for module in imported]
    found = {".".join(each[:end]) for each in pieces for end in range(1, len(each) + 1)}
    return {each for each in found if each != name and not name.startswith(f"{each}.")}


def test_a_module_of_a_package_is_imported_with_the_package() -> None:
    assert with_packages("w.a", ["w.b.c"]) == {"w.b", "w.b.c"}
    assert with_packages("w.b.d", ["w.b.c"]) == {"w.b.c"}, "it runs while its package is imported"
    assert with_packages("w.b", ["w.b.c", "v.x"]) == {"w.b.c", "v", "v.x"}


@pytest.mark.parametrize("wing", sorted(set().union(*ABOVE)))
def test_above_the_shiny_line_nothing_imports_shiny(wing: str) -> None:
    for name in (name for name in modules() if wing_of(name) == wing):
        assert not [i for i in imports(modules()[name]) if i.split(".")[0] in SHINYS], name


@pytest.mark.parametrize("wing", PURE)
def test_the_rules_are_pure(wing: str) -> None:
    for name in (name for name in modules() if wing_of(name) == wing):
        assert IMPURE.isdisjoint(imports(modules()[name])), name
