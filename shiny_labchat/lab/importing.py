"""Importing an export into a database, without those who have withdrawn since."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

from shiny_labchat.export.importing import ImportedTables, import_tables, open_export
from shiny_labchat.export.order import Progress
from shiny_labchat.lab.withdrawing import apply_ledger, clean
from shiny_labchat.store import Log

__all__ = ["Imported", "import_export"]


class Imported(NamedTuple):
    """
    What was imported.

    Attributes
    ----------
    tables
        Which studies, and how much of them.
    withdrawn
        How many people were withdrawn again, by the ledger beside the database.
    """

    tables: ImportedTables
    withdrawn: int


async def import_export(log: Log, folder: Path, progress: Progress | None = None) -> Imported:
    """
    Import an export: all of it, in one transaction, or nothing.

    Parameters
    ----------
    log
        The database, which is made if it is not there.
    folder
        The export's folder.
    progress
        Called in the running event loop with how many bytes were read, and how many there are.

    Raises
    ------
    ExportError
        It is no export, was changed, has not all that is needed, or its study is there already.
    ImportError
        It is in Parquet alone, and pyarrow is not installed.
    StoreError
        The database could not be written.
    """
    source = await asyncio.to_thread(open_export, folder)
    loop = asyncio.get_running_loop()

    def tell(done: int, total: int) -> None:
        if progress is not None:
            loop.call_soon_threadsafe(progress, done, total)

    made = await log.write(lambda conn, now: import_tables(conn, now, source, tell))
    withdrawn = await apply_ledger(log)
    if withdrawn:
        await clean(log, "always")
    return Imported(made, withdrawn)
