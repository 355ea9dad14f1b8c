"""The slices of messages that a process reads from its logs, as the database is asked for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event

__all__ = ["slices"]


@contextmanager
def slices(then: Callable[[int], object] | None = None) -> Iterator[list[int]]:
    """
    How many rows each slice asks for, from now on.

    `then` is called in the reader's thread with the number of slices so far, before each is read.
    """
    asked: list[int] = []

    def execute(conn: Any, cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        if "event.kind = ?" in statement and "event.seq < ?" in statement:
            asked.append(parameters[4])
            if then is not None:
                then(len(asked))

    sa_event.listen(sa.Engine, "before_cursor_execute", execute)
    try:
        yield asked
    finally:
        sa_event.remove(sa.Engine, "before_cursor_execute", execute)
