"""Making a report of a study."""

from __future__ import annotations

import hashlib
from typing import cast

from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.study import StudyState
from shiny_labchat.export.order import Order, Progress
from shiny_labchat.export.run import give_tables, record_export
from shiny_labchat.report.numbers import TABLES, Collector
from shiny_labchat.report.page import page
from shiny_labchat.store import Log
from shiny_labchat.store.heads import load_head

__all__ = ["report_of"]


async def report_of(
    log: Log, study: str, progress: Progress | None = None, *, with_text: bool = False
) -> str:
    """
    The page of a study's report.

    One with text is recorded as an export is: whoever has it has people's words.

    Parameters
    ----------
    log, study
        The database, and the study.
    progress
        Called with how many events were read, and how many there are.
    with_text
        Whether it has what people have written.

    Raises
    ------
    ValueError
        There is no such study.
    StoreError
        The database could not be read.
    """
    order = Order(study=study, formats=("report",))
    collector = Collector(with_text=with_text)
    given = await give_tables(log, order, {"report": collector}, TABLES, progress)
    head = await log.read(lambda conn: load_head(conn, study_log(study)))
    settings = cast(StudyState, head.state).settings if head is not None else None
    said = {name: settings.get(name) if settings else None for name in ("purpose", "board")}
    made = page(study, said, collector.numbers)
    if with_text:
        await record_export(log, order, given, hashlib.sha256(made.encode()).hexdigest())
    return made
