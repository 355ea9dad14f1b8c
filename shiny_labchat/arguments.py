"""Checks of the arguments that an app or a programme passes."""

from __future__ import annotations

import difflib
import inspect
import math
import textwrap
from collections.abc import Callable, Collection, Mapping
from functools import partial, wraps
from numbers import Integral, Real
from typing import Any, ParamSpec, Protocol, TypeVar

__all__ = [
    "CLIENT_METHODS",
    "StudyLike",
    "as_id",
    "check_choice",
    "check_client",
    "check_count",
    "check_function",
    "check_number",
    "did_you_mean",
    "explain_others",
    "study_name",
]


class _Study(Protocol):
    """What has a name, as a Study has."""

    @property
    def name(self) -> str: ...


StudyLike = str | _Study
"""A Study, or its name."""

P = ParamSpec("P")
R = TypeVar("R")


def check_choice(what: str, value: Any, choices: Collection[Any], *, also: str = "") -> None:
    """
    Check that an argument is one of a few values.

    Parameters
    ----------
    what, value
        The argument's name and its value.
    choices
        The values that are allowed.
    also
        What else is allowed, in words, for the error.
    """
    if any(value is choice or _equals(value, choice) for choice in choices):
        return
    *most, last = [*(_quoted(choice) for choice in choices), *([also] if also else [])]
    wanted = f"{', '.join(most)} or {last}" if most else last
    raise ValueError(f"{what} must be {wanted}, not {value!r}")


def _equals(value: Any, choice: Any) -> bool:
    return isinstance(value, str) and value == choice


def _quoted(choice: object) -> str:
    return f'"{choice}"' if isinstance(choice, str) else repr(choice)


def did_you_mean(value: str, choices: Collection[str]) -> str:
    """The end of a sentence about an unknown name: the most similar known one, if any."""
    found = difflib.get_close_matches(value, choices, n=1)
    return f"; did you mean {_quoted(found[0])}?" if found else "."


def explain_others(others: Mapping[str, str]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """
    Explain, in the error for an argument that a function does not have, where it belongs.

    Parameters
    ----------
    others
        By argument, what to do instead.

    Returns
    -------
    callable
        A decorator.
    """

    def decorate(fn: Callable[P, R]) -> Callable[P, R]:
        is_class = fn.__name__ == "__init__"
        owner = fn.__qualname__.removesuffix(".__init__") if is_class else fn.__name__

        @wraps(fn)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            for name in kwargs:
                if name in others:
                    raise TypeError(f"{owner}() has no argument {name}=: {others[name]}")
            return fn(*args, **kwargs)

        return call

    return decorate


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


CLIENT_METHODS = ("get_turns", "set_turns", "stream_async")
"""The methods of chatlas' Chat that whatever asks a model must have."""


def check_client(what: str, value: Any, *, instead: str, or_makes: bool = False) -> None:
    """
    Check that an argument has the methods of a chatlas Chat.

    Parameters
    ----------
    what, value
        The argument's name and its value.
    instead
        The lines to write for a client of another framework, where "MODEL" is its name.
    or_makes
        Whether a function that makes such a client is allowed, too.
    """
    missing = [name for name in CLIENT_METHODS if not callable(getattr(value, name, None))]
    if not missing:
        return
    if or_makes and (isinstance(value, type | partial) or inspect.isroutine(value)):
        check_function(what, value)
        return
    makes = ", or a function that makes one" * or_makes
    methods = " and ".join(f"{name}()" for name in missing)
    raise TypeError(
        f"{what} must be a chatlas Chat, or have its methods{makes}, not {value!r}: "
        f"{type(value).__name__} lacks {methods}. For a model of another framework write\n\n"
        f"{textwrap.indent(instead.replace('MODEL', what), '    ')}"
    )


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


def study_name(study: object, what: str = "study") -> str:
    """The name of a study that the argument `what` gives as a Study, or by its name."""
    name = study if isinstance(study, str) else getattr(study, "name", None)
    if not isinstance(name, str):
        raise TypeError(f"{what} must be a Study or its name, not {study!r}")
    return as_id(what, name)
