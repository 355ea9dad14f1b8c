"""Checks of the arguments that an app or a programme passes."""

from __future__ import annotations

import inspect
import math
from numbers import Integral, Real
from typing import Any

__all__ = ["as_id", "check_client", "check_count", "check_function", "check_number"]


def check_count(what: str, value: Any, least: int, *, or_none: bool = False) -> None:
    """Check that an argument is a whole number, and at least `least`."""
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
    Check that an argument is a number within bounds.

    Parameters
    ----------
    what, value
        The argument's name and its value.
    least, above, most
        The bounds. `above` itself is not allowed.
    or_none
        Whether None is allowed.
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
    """Check for a chatlas Chat or its like; `or_makes`: a function that makes one is allowed."""
    if or_makes and callable(value):
        check_function(what, value)
    elif not hasattr(value, "stream_async"):
        words = ", or a function that makes one" * or_makes
        raise TypeError(f"{what} must be a chatlas Chat{words}, not {value!r}")


def check_function(what: str, fn: Any, *takes: str) -> None:
    """
    Check that an argument is a function, async or not, with these parameters.

    Parameters
    ----------
    what, fn
        The argument's name and its value.
    *takes
        The names of the arguments that it is called with.
    """
    words = f"a function that takes ({', '.join(takes)})"
    if not callable(fn):
        raise TypeError(f"{what} must be {words}, not {fn!r}")
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        raise TypeError(f"{what} must be {words}, and not a generator: return what it yields")
    try:
        signature = inspect.signature(fn)
    except ValueError:
        return  # some built-in functions have no signature
    try:
        signature.bind(*takes)
    except TypeError as exc:
        raise TypeError(f"{what} must be {words}: {exc}") from exc


def as_id(what: str, value: object) -> str:
    """Check that the argument `what` is an id; return it."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be text, not {type(value).__name__}")
    if not value.strip() or len(value) > 200 or not value.isprintable():
        raise ValueError(f"{what} must be 1 to 200 printable characters, not {value[:40]!r}")
    return value
