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
        There is another one, whose key is another one; or its folder cannot be written to.
    """
    path = ledger_of(target)
    old, new = _read(ledger_of(source)), _read(path)
    if old and not (old.startswith(new) or new.startswith(old)):
        why = (
            "this ledger of withdrawals is that of another database; rename it if that database is "
            "gone, or set LABCHAT_LEDGER to the ledger that the app is to have"
        )
        raise StoreError("store_broken", str(path), why)
    if _is_to_copy(old, new):
        try:
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        except OSError as exc:
            why = (
                f"the ledger of withdrawals cannot be written there ({exc.strerror}); set "
                "LABCHAT_LEDGER to where it can be"
            )
            raise StoreError("store_read_only", str(path), why) from exc


def copy_ledger(source: sa.URL, target: sa.URL) -> Path | None:
    """Copy the ledger, and return where it is now; None: there is none to copy."""
    old, new = _read(ledger_of(source)), _read(ledger_of(target))
    if not _is_to_copy(old, new):
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


def _is_to_copy(old: bytes, new: bytes) -> bool:
    return bool(old) and not new.startswith(old)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
