"""The query string of a page's address. Pure."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qsl, urlencode

__all__ = ["has", "keeping", "with_parameter"]


def has(search: str, name: str) -> bool:
    """Whether a query string has a parameter of this name, even if it is empty or cut off."""
    return any(name == each for each, _ in _pairs(search))


def keeping(url: str, search: str, drop: Collection[str]) -> str:
    """A bookmark's URL with the parameters of the app's own address, except those in `drop`."""
    kept: list[tuple[str, str]] = []
    for name, value in _pairs(search):
        if name in ("_inputs_", "_values_"):
            break  # from here on it is an older bookmark
        if name != "_state_id_" and name not in drop:
            kept.append((name, value))
    if not kept:
        return url
    where, _, bookmark = url.partition("?")
    return f"{where}?{urlencode(kept)}&{bookmark}"


def with_parameter(url: str, name: str, value: str) -> str:
    """An address with one more parameter."""
    url, hash, anchor = url.partition("#")
    sign = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return f"{url}{sign}{urlencode([(name, value)])}{hash}{anchor}"


def _pairs(search: str) -> list[tuple[str, str]]:
    return parse_qsl(search.removeprefix("?"), keep_blank_values=True)
