"""Whether the values of a table are of the types that its codebook says."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from shiny_labchat.export.checks.finding import Finding, error
from shiny_labchat.export.columns import ColumnType

__all__ = ["Values"]

_INTEGER = re.compile(r"-?\d+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
TOLD = 3
"""How many wrong values of a column are told."""


class Values:
    """
    Checks the rows of a table.

    Parameters
    ----------
    types
        The type of each column.
    few
        By column, the values that it may have, if they are few.
    """

    def __init__(self, types: Mapping[str, ColumnType], few: Mapping[str, Sequence[str]]) -> None:
        self.columns = list(types)
        self._few = {name: frozenset(values) for name, values in few.items()}
        self._told: dict[str, int] = {}
        self._tests = [
            (index, name, what, test)
            for index, (name, type) in enumerate(types.items())
            for what, test in self._tests_of(name, type)
        ]

    def check(self, file: str, line: int, row: Sequence[str]) -> Iterator[Finding]:
        """What is wrong with the values of a row; of each column the first few are told."""
        for index, name, what, test in self._tests:
            value = row[index]
            if value and not test(value) and self._told.get(name, 0) < TOLD:
                self._told[name] = self._told.get(name, 0) + 1
                yield error(
                    "value",
                    file,
                    f"line {line} has {value!r:.80} in the column {name}, which is no {what}",
                    "Export again; if it was changed by another program, such as Excel, use a copy "
                    "that it has not saved",
                )

    def _tests_of(self, name: str, type: ColumnType) -> Iterator[tuple[str, Callable[[str], bool]]]:
        if type in _TESTS:
            yield _TESTS[type]
        elif name in self._few:
            yield (
                f"value that it may have ({', '.join(sorted(self._few[name]))})",
                (self._few[name].__contains__),
            )


def _is_number(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _is_time(value: str) -> bool:
    if not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


_TESTS: Mapping[ColumnType, tuple[str, Callable[[str], bool]]] = {
    "integer": ("whole number", lambda value: _INTEGER.fullmatch(value) is not None),
    "number": ("number", _is_number),
    "boolean": ("true or false", lambda value: value in ("true", "false")),
    "time": ("time such as 2026-11-30T09:15:00.123456Z", _is_time),
}
