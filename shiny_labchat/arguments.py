"""Numbers and functions as people give them, checked where they are given."""

from __future__ import annotations

import inspect
import math
from numbers import Integral, Real
from typing import Any

__all__ = ["as_id", "check_client", "check_count", "check_function", "check_number"]


def check_count(what: str, value: Any, least: int, *, or_none: bool = False) -> None:
    """A whole number, at least so large."""
    if _is_left_out(value, or_none):
        return
    _check_kind(what, value, Integral, "a whole number", or_none)
    if value < least:
        raise ValueError(f"{what} must be at least {least}{_or_none(or_none)}, not {value}")


def check_number(
    what: str,
    value: Any,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    most: float = math.inf,
    or_none: bool = False,
) -> None:
    """
    A number.

    Parameters
    ----------
    what, value
        The argument, and what was given.
    least, above, most
        Its bounds.
    or_none
        Whether None will do, too.
    """
    if _is_left_out(value, or_none):
        return
    _check_kind(what, value, Real, "a number", or_none)
    if not (least <= value <= most and value > above):
        bounds = [f"at least {least:g}"] * (least > -math.inf)
        bounds += [f"above {above:g}"] * (above > -math.inf)
        bounds += [f"at most {most:g}"] * (most < math.inf)
        wanted = " and ".join(bounds)
        raise ValueError(f"{what} must be {wanted}{_or_none(or_none)}, not {value}")


def _is_left_out(value: object, or_none: bool) -> bool:
    return value is None and or_none


def _check_kind(what: str, value: object, kind: type, words: str, or_none: bool) -> None:
    if isinstance(value, bool) or not isinstance(value, kind):
        raise TypeError(f"{what} must be {words}{_or_none(or_none)}, not {value!r}")


def _or_none(or_none: bool) -> str:
    return " or None" if or_none else ""


def check_client(what: str, value: Any, *, or_makes: bool = False) -> None:
    """A chatlas Chat, or what is used as one; or, if that will do, a function that makes one."""
    if or_makes and callable(value):
        check_function(what, value)
    elif not hasattr(value, "stream_async"):
        words = ", or a function that makes one" * or_makes
        raise TypeError(f"{what} must be a chatlas Chat{words}, not {value!r}")


def check_function(what: str, fn: Any, *takes: str) -> None:
    """
    A function that takes so much, async or not.

    Parameters
    ----------
    what, fn
        The argument, and what was given.
    *takes
        What it is called with, in words.
    """
    words = f"a function that takes ({', '.join(takes)})"
    if not callable(fn):
        raise TypeError(f"{what} must be {words}, not {fn!r}")
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        raise TypeError(f"{what} must be {words}, and not a generator: return what it yields")
    try:
        signature = inspect.signature(fn)
    except ValueError:
        return  # some that are built in do not tell
    try:
        signature.bind(*takes)
    except TypeError as exc:
        raise TypeError(f"{what} must be {words}: {exc}") from exc


def as_id(what: str, value: object) -> str:
    """An id given as the argument `what`."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be text, not {type(value).__name__}")
    if not value.strip() or len(value) > 200 or not value.isprintable():
        raise ValueError(f"{what} must be 1 to 200 printable characters, not {value[:40]!r}")
    return value
