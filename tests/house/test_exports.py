"""What is public is listed, sorted and described."""

from __future__ import annotations

import inspect
import json
import pydoc
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.docs.reference import MODULES

from .code import modules

NAMES = [f"shiny_labchat.{name}".rstrip(".") for name in modules()]
PUBLIC = list(MODULES)


@pytest.mark.parametrize("name", NAMES)
def test_every_module_says_what_it_is_for(name: str) -> None:
    assert _first_line(import_module(name))


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_module_lists_its_names_and_has_them(name: str) -> None:
    module = import_module(name)
    assert len(set(module.__all__)) == len(module.__all__) > 0
    for each in module.__all__:
        assert hasattr(module, each)


@pytest.mark.parametrize("imported", ["shiny_labchat.cli", "shiny_labchat.errors", "Lab"])
def test_what_needs_no_shiny_does_not_wait_for_it(imported: str) -> None:
    first = f"import {imported}" if "." in imported else f"from shiny_labchat import {imported}"
    loaded = _python(
        f"{first}; import sys; print('shiny' in sys.modules, 'uvicorn' in sys.modules)"
    )
    assert loaded == "False False"


def test_apps_have_the_gateway_from_the_first_import_on() -> None:
    is_adapted = "hasattr(shiny.App.init_starlette_app, '__labchat__')"
    for first in ("import shiny, shiny_labchat", "from shiny_labchat import Chat; import shiny"):
        assert _python(f"{first}; print({is_adapted})") == "True"


def _python(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("name", NAMES)
def test_lists_of_names_are_sorted(name: str) -> None:
    """Constants, then classes, then functions, each in the order of the alphabet."""

    def key(each: str) -> tuple[int, str]:
        return (0 if each.isupper() else 1 if each[0].isupper() else 2, each)

    listed = getattr(import_module(name), "__all__", [])
    assert list(listed) == sorted(listed, key=key)


KEPT: dict[str, dict[str, list[str]]] = json.loads(
    (Path(__file__).parent / "public_names.json").read_text(encoding="utf-8")
)
"""The public names of version 0.1, and those of their members; apps are written with them."""


@pytest.mark.parametrize("name", sorted(KEPT))
def test_no_public_name_is_ever_taken_away(name: str) -> None:
    module = import_module(name)
    assert KEPT[name].keys() <= set(module.__all__)
    for each, members in KEPT[name].items():
        gone = [member for member in members if not hasattr(getattr(module, each), member)]
        assert not gone, f"{name}.{each}"


def test_the_kept_names_are_those_of_all_public_modules() -> None:
    assert KEPT.keys() == set(PUBLIC) and sum(map(len, KEPT.values())) > 30


def _documented() -> Iterator[tuple[str, object]]:
    for name in PUBLIC:
        module = import_module(name)
        for each in module.__all__:
            thing = getattr(module, each)
            if inspect.isclass(thing) or inspect.isroutine(thing):
                yield f"{name}.{each}", thing
            if inspect.isclass(thing) and thing.__module__.startswith("shiny_labchat"):
                for member, value in inspect.getmembers(thing):
                    if not member.startswith("_") and _is_ours(value):
                        yield f"{name}.{each}.{member}", value


def _is_ours(value: object) -> bool:
    function = value.fget if isinstance(value, property) else value
    where = getattr(function, "__module__", None) or ""
    return inspect.isroutine(function) and where.startswith("shiny_labchat")


@pytest.mark.parametrize(("name", "thing"), [pytest.param(*d, id=d[0]) for d in _documented()])
def test_every_public_thing_is_described_in_a_short_first_line(name: str, thing: object) -> None:
    assert 0 < len(_first_line(thing)) <= 80, name


@pytest.mark.parametrize(("name", "thing"), [pytest.param(*d, id=d[0]) for d in _documented()])
def test_help_names_no_module_inside_the_package(name: str, thing: object) -> None:
    inside = "|".join(re.escape(each) for each in NAMES if each not in PUBLIC)
    said = _help(thing)
    assert not re.findall(rf"\b(?:{inside})\b", said)


def test_help_shows_the_members_of_facets_as_their_classes_own() -> None:
    said = _help(import_module("shiny_labchat").Chat)
    assert "append_message_stream(" in said and "Methods inherited" not in said


def _help(thing: object) -> str:
    """What `help()` prints, without the signs for bold letters."""
    return re.sub(".\x08", "", pydoc.render_doc(thing))


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n")[0]
