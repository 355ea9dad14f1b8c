"""The answers in a form: which inputs it has, and what the page has sent of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, cast

from htmltools import Tag, Tagifiable, TagList
from shiny import reactive
from shiny.module import ResolvedId
from shiny.session import Session
from shiny.types import ActionButtonValue

from shiny_labchat.storable import storable

__all__ = ["answers_in", "as_answer", "ids_in", "inputs_in", "short_id"]


def ids_in(content: Iterable[object]) -> list[str]:
    """The ids of all elements in some UI; those of inputs are among them."""
    return list(dict.fromkeys(str(each.attrs["id"]) for each in _named(content)))


def inputs_in(content: Iterable[object]) -> list[str]:
    """The ids of Shiny's own inputs in some UI, but for buttons."""
    return list(dict.fromkeys(str(each.attrs["id"]) for each in _named(content) if _is_input(each)))


def _named(content: Iterable[object]) -> Iterator[Tag]:
    """The elements in some UI that have an id."""
    for each in content:
        if isinstance(each, Tag):
            if "id" in each.attrs:
                yield each
            yield from _named(each.children)
        elif isinstance(each, TagList | list | tuple):
            yield from _named(cast("Iterable[object]", each))
        elif isinstance(each, Tagifiable):
            yield from _named([each.tagify()])


def _is_input(element: Tag) -> bool:
    if element.name == "input":
        return element.attrs.get("type") not in ("button", "submit", "reset")
    return element.name in ("select", "textarea") or any(map(element.has_class, OF_SEVERAL))


OF_SEVERAL = (
    "shiny-input-radiogroup",
    "shiny-input-checkboxgroup",
    "shiny-date-input",
    "shiny-date-range-input",
)
"""The classes of inputs that are made of several elements."""


def short_id(id: str, namespace: str) -> str:
    """An id as the app's code says it, without the namespace of its module."""
    return id.removeprefix(f"{namespace}-") if namespace else id


def answers_in(session: Session, ids: Sequence[str], namespace: str) -> dict[str, Any]:
    """
    What the page has sent of inputs, by their ids in the app's code; not reactive.

    What is no input of the page, or a button, is left out.
    """
    root, answers = session.root_scope(), dict[str, Any]()
    with reactive.isolate():
        for id in ids:
            value = root.input[ResolvedId(id)]
            if value.is_set() and not isinstance(value(), ActionButtonValue):
                answers[short_id(id, namespace)] = as_answer(value())
    return answers


def as_answer(value: Any) -> Any:
    """An input's value as it can be stored; what JSON does not have is text, or None."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return storable(value)
        case float():
            return value if math.isfinite(value) else None
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            items = cast("Mapping[Any, Any]", value).items()
            return {storable(str(key)): as_answer(each) for key, each in items}
        case list() | tuple() | set() | frozenset():
            return [as_answer(each) for each in cast("Iterable[Any]", value)]
        case _:
            return storable(str(value))
