"""CSV files as a check reads them: strictly, and row by row."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["BadCsv", "rows_of"]


class BadCsv(Exception):
    """
    A CSV file cannot be read.

    Parameters
    ----------
    code
        "csv-encoding" or "csv-quotes".
    line
        The line of the file.
    problem
        What is wrong there.
    """

    def __init__(self, code: str, line: int, problem: str) -> None:
        self.code = code
        self.line = line
        self.problem = problem
        super().__init__(code, line, problem)


def rows_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """
    The rows of a CSV file, the header first, each with the number of its last line.

    An empty line is a row with one empty field.

    Raises
    ------
    BadCsv
        It is not UTF-8, or a quotation mark is where none can be.
    """
    before = csv.field_size_limit(sys.maxsize)  # a prompt may be longer than what csv allows
    line = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            for row in rows:
                line = rows.line_num
                yield line, row or [""]
    except UnicodeDecodeError as exc:
        raise BadCsv("csv-encoding", line + 1, f"it is not UTF-8 ({exc.reason})") from exc
    except csv.Error as exc:
        raise BadCsv("csv-quotes", line + 1, f"its quotation marks do not match ({exc})") from exc
    finally:
        csv.field_size_limit(before)
