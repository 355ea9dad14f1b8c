"""What a client of a model is, as JSON values for the record; nothing of it is a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import orjson

from shiny_labchat.models.client import base_url_of, parameters_of

__all__ = ["description_of", "without_secrets"]

_SECRET = re.compile(
    r"api.?key|authori[sz]ation|secret|password|passwd|credential|bearer|header|cookie"
    r"|(access|auth|id|refresh|session).?token|http.?client",
    re.IGNORECASE,
)
"""The names of parameters that may hold a secret."""


def description_of(client: Any) -> dict[str, Any]:
    """The provider, model, address, parameters, system prompt and tools of a client."""
    provider = getattr(client, "provider", None)
    return {
        "provider": getattr(provider, "name", type(client).__name__),
        "model": getattr(provider, "model", None),
        "parameters": _as_json(without_secrets(parameters_of(client))),
        "base_url": base_url_of(client),
        "system_prompt": getattr(client, "system_prompt", None),
        "tools": _tools_of(client),
    }


def _tools_of(client: Any) -> list[str]:
    get_tools: Callable[[], Sequence[object]] | None = getattr(client, "get_tools", None)
    tools: Sequence[object] = () if get_tools is None else get_tools()
    return sorted(str(getattr(each, "name", type(each).__name__)) for each in tools)


def _as_json(value: object) -> Any:
    """JSON values; another object is its type's name, which is the same in each process."""
    named = orjson.dumps(value, default=_name_of, option=orjson.OPT_NON_STR_KEYS)
    return orjson.loads(named)


def _name_of(value: object) -> str:
    return type(value).__name__


def without_secrets(value: Any) -> Any:
    """Values without those whose names say that they may be secrets, such as ``api_key``."""
    if isinstance(value, Mapping):
        named = cast("Mapping[Any, Any]", value)
        return {k: without_secrets(v) for k, v in named.items() if not _SECRET.search(str(k))}
    if isinstance(value, list | tuple):
        return [without_secrets(each) for each in cast("list[Any]", value)]
    return value
