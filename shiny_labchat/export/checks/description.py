"""The description of a Psych-DS data set: JSON-LD, in the terms of schema.org."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from shiny_labchat.export.checks.finding import Finding, error, warning

__all__ = ["DESCRIPTION", "check_description", "measured", "read_object"]

DESCRIPTION = "dataset_description.json"
_CONTEXTS = frozenset(
    f"{scheme}://{host}{end}"
    for scheme in ("http", "https")
    for host in ("schema.org", "www.schema.org")
    for end in ("", "/")
)
_REQUIRED = {
    "name": "the name of the data set",
    "description": "what it is",
    "variableMeasured": "a list with each column of the data files",
}


def read_object(folder: Path, file: str) -> tuple[Mapping[str, Any] | None, list[Finding]]:
    """A file with one JSON object, and what is wrong with it."""
    try:
        text = (folder / file).read_bytes().decode("utf-8-sig")
        data: object = json.loads(text)
    except (FileNotFoundError, IsADirectoryError):
        to_do = f"Write {file}: @context, @type, name, description and variableMeasured, as JSON"
        return None, [error("no-description", "", f"it has no {file}", to_do)]
    except UnicodeDecodeError as exc:
        return None, [
            error("json-encoding", file, f"it is not UTF-8 ({exc.reason})", "Save it as UTF-8")
        ]
    except json.JSONDecodeError as exc:
        problem = f"it is no valid JSON: {exc.msg} in line {exc.lineno}, column {exc.colno}"
        return None, [error("json", file, problem, "Correct it there, or write it anew")]
    if not isinstance(data, dict):
        problem = f"it holds a {type(data).__name__}, not a JSON object"
        return None, [error("json", file, problem, "Put its fields between { and }")]
    return cast("dict[str, Any]", data), []


def check_description(data: Mapping[str, Any], file: str) -> Iterator[Finding]:
    """What is wrong with what describes a whole data set."""
    yield from _check_context(data, file)
    yield from _check_type(data, file)
    for key, says in _REQUIRED.items():
        value = data.get(_key(data, key))
        if value is None:
            yield error(f"no-{key}", file, f"it has no {key}", f"Add {key}: {says}")
        elif value in ("", []):
            yield warning(f"empty-{key}", file, f"its {key} is empty", f"Write {says}")
    yield from _check_variables(data.get("variableMeasured"), file)


def _key(data: Mapping[str, Any], name: str) -> str:
    """The key of a term: it may be written in full."""
    for prefix in ("https://schema.org/", "http://schema.org/"):
        if prefix + name in data:
            return prefix + name
    return name


def _check_context(data: Mapping[str, Any], file: str) -> Iterator[Finding]:
    to_do = 'Add "@context": "https://schema.org/"'
    context = data.get("@context")
    if context is None:
        yield error("no-context", file, "it has no @context", to_do)
        return
    contexts = cast("list[Any]", context if isinstance(context, list) else [context])
    if not any(_is_schema_org(each) for each in contexts):
        yield error("context", file, f"its @context is {context!r}, not that of schema.org", to_do)


def _is_schema_org(context: object) -> bool:
    if isinstance(context, Mapping):
        return cast("Mapping[str, object]", context).get("@vocab") in _CONTEXTS
    return context in _CONTEXTS


def _check_type(data: Mapping[str, Any], file: str) -> Iterator[Finding]:
    said = data.get("@type", data.get("type"))
    types = cast("list[Any]", said if isinstance(said, list) else [said])
    to_do = 'Write "@type": "Dataset"'
    if said is None:
        yield error("no-type", file, "it has no @type", to_do)
    elif str(types[0] if types else "").rsplit("/", 1)[-1] != "Dataset":
        yield error("type", file, f"its @type is {said!r}", to_do)


def _check_variables(variables: object, file: str) -> Iterator[Finding]:
    if variables in (None, "", []):
        return
    names = measured(variables)
    if names is None:
        problem = "variableMeasured is neither a list of names nor of objects"
        yield error("variables", file, problem, "Make it a list of objects with @type and name")
        return
    if not all(names):
        problem = f"number {names.index('') + 1} of variableMeasured has no name"
        yield warning("variable-name", file, problem, "Give it a name: that of its column")


def measured(variables: object) -> Sequence[str] | None:
    """
    The names in a `variableMeasured`; None: it is none.

    They are texts, or objects with a name. What has none has the name "".
    """
    if isinstance(variables, str | Mapping):
        return [_variable(cast(Any, variables))]
    if not isinstance(variables, list):
        return None
    return [_variable(each) for each in cast("list[Any]", variables)]


def _variable(variable: object) -> str:
    if isinstance(variable, Mapping):
        fields = cast("Mapping[str, object]", variable)
        name = fields.get(_key(fields, "name"))
        return name if isinstance(name, str) else ""
    return variable if isinstance(variable, str) else ""
