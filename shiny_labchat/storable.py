"""JSON values made fit for databases and browsers. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, cast

import orjson

__all__ = ["is_storable", "storable"]

_ODD = re.compile("[\0\ud800-\udfff]")
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


def storable(value: Any) -> Any:
    """
    A JSON value with everything that cannot be stored removed, repaired or turned into text.

    NULs are removed, the surrogates of a pair are joined, a lone surrogate becomes U+FFFD, and a
    number that JSON does not have (NaN, infinity) becomes text. So does an integer outside the
    signed 64 bits, -(2**63) to 2**63 - 1: a database's BIGINT, Arrow, Parquet and most languages
    cannot read it.
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return value if _SMALLEST <= value <= _LARGEST else str(value)
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, Mapping):
        fields = cast("Mapping[object, object]", value)
        return {_text(str(name)): storable(field) for name, field in fields.items()}
    if isinstance(value, list | tuple):
        return [storable(each) for each in cast("Sequence[object]", value)]
    return value


def is_storable(value: Any) -> bool:
    """
    Whether a quick look shows that `storable` would change nothing.

    It takes a third of the time of `storable`, or less. False may be wrong, True never is: orjson
    refuses lone surrogates and integers of more than 53 bits, and a value that JSON does not
    have, such as NaN or a tuple, is not equal to what is read back.
    """
    try:
        text = orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError:
        return False
    return b"\\u0000" not in text and orjson.loads(text) == value


def _text(text: str) -> str:
    if _ODD.search(text) is None:
        return text
    units = text.replace("\0", "").encode("utf-16-le", "surrogatepass")
    return type(text)(units.decode("utf-16-le", "replace"))
