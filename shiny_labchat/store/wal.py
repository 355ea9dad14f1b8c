"""
The write-ahead log of an SQLite database, a file beside it, which is kept short.

SQLite copies it into the database by itself, but begins it anew only in a moment in which nobody
reads what is in it. Where somebody always reads, it would grow without bound. So it is emptied when
it is long: for that SQLite keeps new readers from it, and waits for those that have begun. Only
whoever reads in one transaction for long can prevent that.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from pathlib import Path

import sqlalchemy as sa

__all__ = ["LONG", "SIZE_KEPT", "TOO_LONG", "WriteAheadLog"]

logger = logging.getLogger("shiny_labchat")

SIZE_KEPT = 4_194_304
"""Size that the file may keep when it is begun anew, in bytes; it is copied at this size."""
LONG = 6_291_456
"""Size at which it is emptied, in bytes."""
TOO_LONG = 16_777_216
"""Size at which the log says that somebody prevents that, in bytes."""
RETRY_DELAY = 0.02
"""Pause before another try to empty it, in seconds; a try takes about 0.1 ms."""
PATIENCE = 0.01
"""How long readers that have begun are waited for, in seconds; nothing is stored meanwhile."""
PATIENT_AGAIN = 1.0
"""Pause before they are waited for again, in seconds; until then it is only tried."""


class WriteAheadLog:
    """
    The write-ahead log of one database.

    Parameters
    ----------
    path
        The database's file.
    """

    def __init__(self, path: Path) -> None:
        self._file = f"{path}-wal"
        self._try_at = 0.0
        self._patient_at = 0.0
        self._is_told = False

    def keep_short(self, conn: sa.Connection) -> None:
        """Empty it if it is long, through the writer's connection, between two transactions."""
        if time.monotonic() < self._try_at:
            return
        try:
            if (size := os.stat(self._file).st_size) <= LONG:
                self._is_told = False
            elif not self._empty(conn, self._patience()):
                self._try_at = time.monotonic() + RETRY_DELAY
                self._tell(size)
        except (OSError, sqlite3.Error):
            pass  # the next transaction meets the same trouble, and says so

    def _patience(self) -> float:
        now = time.monotonic()
        if now < self._patient_at:
            return 0.0
        self._patient_at = now + PATIENT_AGAIN
        return PATIENCE

    def _empty(self, conn: sa.Connection, patience: float) -> bool:
        raw = conn.connection.driver_connection
        assert raw is not None
        raw.execute(f"PRAGMA busy_timeout={round(1000 * patience)}")
        try:
            is_busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            raw.execute("PRAGMA busy_timeout=0")
        return not is_busy

    def _tell(self, size: int) -> None:
        if size > TOO_LONG and not self._is_told:
            self._is_told = True
            logger.warning(
                "%s has %d MB and grows: another program has read the database in one transaction "
                "since then; end that transaction, or that program",
                *(self._file, size // 1_000_000),
            )
