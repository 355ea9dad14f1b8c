"""The ledger of withdrawals beside a database that moves: the new database needs it, too."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import sqlalchemy as sa

from shiny_labchat.errors import StoreError
from shiny_labchat.store.choosing import ledger_of

__all__ = ["check_ledgers", "copy_ledger"]


def check_ledgers(source: sa.URL, target: sa.URL) -> None:
    """
    Make sure that the ledger can be copied to where the new database's is looked for.

    Raises
    ------
    StoreError
        There is another one, whose key is another one.
    """
    old, new = _read(ledger_of(source)), _read(ledger_of(target))
    if old and not (old.startswith(new) or new.startswith(old)):
        why = (
            "this ledger of withdrawals is that of another database; rename it if that database is "
            "gone, or set LABCHAT_LEDGER to the ledger that the app is to have"
        )
        raise StoreError("store_broken", str(ledger_of(target)), why)


def copy_ledger(source: sa.URL, target: sa.URL) -> Path | None:
    """Copy the ledger, and return where it is now; None: there is none to copy."""
    old, new = _read(ledger_of(source)), _read(ledger_of(target))
    if not old or new.startswith(old):
        return None
    path = ledger_of(target)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(old)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    return path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
