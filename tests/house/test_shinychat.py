"""docs/shinychat.md decides on every name and parameter of the shinychat that is installed."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import shinychat
import shinychat.express

import shiny_labchat
from shiny_labchat.express import Chat

PAGE = (Path(__file__).parents[2] / "docs" / "shinychat.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(?P<name>\w+)(?P<call>\((?P<parameters>[^)]*)\))?` \| (?P<here>yes|no) \|")


def rows(heading: str) -> dict[str, re.Match[str]]:
    """The rows of the table under a heading, by the names in their first column."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    found = [ROW.match(line) for line in lines]
    assert all(found), f"a row is not of the form that this test reads: {lines}"
    names = [match["name"] for match in found if match]
    assert len(names) == len(set(names)), f"listed twice: {names}"
    return {match["name"]: match for match in found if match}


def named(fn: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(fn).parameters if name != "self"]


METHODS = {
    name: value for name, value in inspect.getmembers(shinychat.Chat) if not name.startswith("_")
}


def test_every_method_is_decided_on() -> None:
    assert set(rows("Methods of `Chat`")) == set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_every_parameter_of_a_method_is_decided_on(name: str) -> None:
    row, method = rows("Methods of `Chat`")[name], METHODS[name]
    if not callable(method):
        assert row["call"] is None
        return
    assert row["parameters"] is not None, f"{name} is a method"
    listed = [each for each in row["parameters"].split(", ") if each]
    assert listed == named(method)


@pytest.mark.parametrize("name", METHODS)
def test_what_is_said_to_be_here_is_here(name: str) -> None:
    row = rows("Methods of `Chat`")[name]
    assert hasattr(Chat, name) is (row["here"] == "yes")


def test_every_parameter_of_the_class_is_decided_on() -> None:
    listed = rows("`Chat(...)`")
    assert list(listed) == sorted(named(shinychat.Chat), key=lambda name: (name != "id", name))
    ours = inspect.signature(Chat).parameters
    assert all((name in ours) is (row["here"] == "yes") for name, row in listed.items())


def test_every_parameter_of_the_element_is_decided_on() -> None:
    listed = rows("`chat_ui(...)`, `Chat.ui(...)`")
    theirs = [name for name in named(shinychat.chat_ui) if name != "kwargs"]
    assert set(listed) == set(theirs)
    for ours in (shiny_labchat.chat_ui, Chat.ui):
        known = {*inspect.signature(ours).parameters, "id"}
        assert all((name in known) is (row["here"] == "yes") for name, row in listed.items())


def test_every_name_of_the_module_is_decided_on() -> None:
    listed = rows("Functions and classes of the module")
    assert set(listed) == {*shinychat.__all__, *shinychat.express.__all__}
    assert all(
        hasattr(shiny_labchat, name) is (row["here"] == "yes") for name, row in listed.items()
    )


OTHERS = [
    name for name, row in rows("`chat_ui(...)`, `Chat.ui(...)`").items() if row["here"] == "no"
]


@pytest.mark.parametrize("name", OTHERS)
def test_an_argument_that_is_not_here_is_refused_in_words(name: str) -> None:
    with pytest.raises(TypeError, match=rf"{name}= is not offered: \w+"):
        shiny_labchat.chat_ui("chat", **cast("dict[str, Any]", {name: True}))


def test_any_other_attribute_is_the_elements_own() -> None:
    assert 'data-mine="yes"' in str(shiny_labchat.chat_ui("chat", data_mine="yes"))
