"""Putting back a backup, without those who have withdrawn since it was made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.messages import to_datetime
from shiny_labchat.errors import StoreError
from shiny_labchat.lab.withdrawing import apply_ledger, clean
from shiny_labchat.store import Log
from shiny_labchat.store.backup import Contents, contents_of, put_in_place, remove, unpack, unused
from shiny_labchat.store.choosing import ledger_of
from shiny_labchat.store.ledger import Ledger
from shiny_labchat.store.sqlite import file_of

__all__ = ["Restored", "restore"]


class Restored(NamedTuple):
    """
    What was put back.

    Attributes
    ----------
    contents
        What is in the database now.
    withdrawn
        How many people were withdrawn again.
    ledger
        The ledger by which they are known; it need not be there.
    """

    contents: Contents
    withdrawn: int
    ledger: Path


async def restore(
    url: sa.URL, backup: Path, *, force: bool, progress: Callable[[int, int], None]
) -> Restored:
    """
    Put a backup in the place of a database that is not in use.

    Raises
    ------
    StoreError
        The backup is damaged, or the database is in use; or it is newer, unless `force`.
    """
    target, ledger = file_of(url), ledger_of(url)
    found = await asyncio.to_thread(contents_of, backup)
    unused(target)
    if target.exists() and not force:
        _refuse_newer(target, await asyncio.to_thread(_newest_of, target), found.newest)
    part = await asyncio.to_thread(unpack, backup, target, progress)
    try:
        withdrawn = await _withdraw_again(url.set(database=str(part)), ledger)
        contents = await asyncio.to_thread(contents_of, part)
        put_in_place(part, target)
    except BaseException:
        remove(part)  # it may have the words of those who have withdrawn
        raise
    return Restored(contents, withdrawn, ledger)


async def _withdraw_again(url: sa.URL, ledger: Path) -> int:
    """Withdraw from a copy who is in the ledger of its database; return how many these were."""
    log = Log(url)
    log.ledger = Ledger(ledger)
    try:
        await log.write(lambda conn, now: None)  # it gets the schema of this version
        withdrawn = await apply_ledger(log)
        await clean(log, "always")
    finally:
        await asyncio.to_thread(log.close)
    return withdrawn


def _newest_of(path: Path) -> int:
    try:
        return contents_of(path).newest
    except StoreError:
        return 0  # it is damaged, which is why a backup is put back


def _refuse_newer(target: Path, newest: int, in_backup: int) -> None:
    if newest > in_backup:
        have, has = (to_datetime(each).isoformat(" ", "seconds") for each in (newest, in_backup))
        raise StoreError(
            "store_busy",
            str(target),
            f"it is newer than the backup: its last event is of {have}, that of the backup of "
            f"{has}. What came since would be lost; to put the backup in its place, add --force",
        )
