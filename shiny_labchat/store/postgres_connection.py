"""
Connections of psycopg that do not wait for ever.

A server that hangs, or whose network drops what is sent, gives no error: without a limit a commit
would wait for its answer until the system gives the connection up, and as long as the other side
answers its keepalives, that is never.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from typing import Any

import psycopg

__all__ = ["ANSWER_LIMIT", "COMMIT_LIMIT", "LimitedConnection"]

ANSWER_LIMIT = 70.0
"""How long the answer to a statement is waited for, in seconds; the server ends it before that."""
COMMIT_LIMIT = 10.0
"""How long the answer to a commit is waited for, in seconds."""


class LimitedConnection(psycopg.Connection[Any]):
    """
    A connection that is given up when the server does not answer.

    Attributes
    ----------
    limit
        How long an answer is waited for, in seconds; None: for ever.
    """

    limit: float | None = ANSWER_LIMIT
    commit_limit: float = COMMIT_LIMIT
    _pid = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pid = os.getpid()

    def __del__(self, *args: object) -> None:
        """Close it, if its pool was disposed of while it was in use; but not that of a parent."""
        if self._pid == os.getpid():
            self.close()

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """Wait for an answer; see `psycopg.Connection.wait`."""
        if self.limit is not None:
            gen = self._limited(gen, time.monotonic() + self.limit)
        return super().wait(gen, *args, **options)

    def _limited(self, gen: Any, deadline: float) -> Generator[Any, Any, Any]:
        """Go on with a generator of psycopg's; it is resumed at least ten times a second."""
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() >= deadline:
                    break
                wanted = gen.send(ready)
        except StopIteration as done:
            return done.value
        self.pgconn.finish()
        raise psycopg.OperationalError("the server does not answer; the connection is given up")

    def commit(self) -> None:
        """Commit the transaction."""
        before = self.limit
        self.limit = self.commit_limit if before is not None else None
        try:
            super().commit()
        finally:
            self.limit = before
