"""The export of a lab, for programmes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from shiny_labchat.export.formats import as_formats
from shiny_labchat.export.order import Exported, Order, Progress, as_rooms, as_since
from shiny_labchat.export.run import export_folder
from shiny_labchat.lab.room import Room
from shiny_labchat.lab.runtime import Runtime, is_serving
from shiny_labchat.store import Log

__all__ = ["as_order", "export", "settle_streams"]


def as_order(
    study: str | None,
    rooms: Sequence[str | Room] | None,
    formats: Sequence[str],
    *,
    anonymise: bool = False,
    public: bool = False,
    new_ids: bool = False,
    since: datetime | str | None = None,
    excel_safe: bool = False,
) -> Order:
    """
    What is asked of an export, from the arguments of `Lab.export`.

    Raises
    ------
    TypeError, ValueError
        An argument is not valid.
    """
    for name, flag in (("anonymise", anonymise), ("public", public), ("new_ids", new_ids)):
        if not isinstance(flag, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"{name} must be True or False, not {flag!r}")
    if new_ids and not anonymise:
        raise ValueError("new_ids is for anonymise=True: without it, no ids are drawn")
    if isinstance(rooms, str | Room):
        raise TypeError(f"rooms must be several rooms or their ids, not {rooms!r}")
    given = [] if rooms is None else [each for each in rooms if isinstance(each, Room)]
    studies = {each.study for each in given}
    if study is not None:
        studies.add(study)
    if len(studies) > 1:
        raise ValueError(f"rooms must be of one study, not of {', '.join(sorted(studies))}")
    return Order(
        study=next(iter(studies), None),
        rooms=None if rooms is None else as_rooms(rooms),
        formats=as_formats(formats),
        is_anonymous=anonymise,
        is_public=public,
        has_new_ids=new_ids,
        since=as_since(since),
        is_excel_safe=excel_safe,
    )


async def export(log: Log, folder: str | Path, order: Order, progress: Progress | None) -> Exported:
    """Export into a folder, see `Lab.export`."""
    if progress is not None and not callable(progress):
        raise TypeError(f"progress must be a function of two numbers, not {progress!r}")
    await settle_streams(log)
    return await export_folder(log, _path(folder), order, progress, is_gentle=is_serving())


def _path(folder: str | Path) -> Path:
    return Path(folder).expanduser().absolute()


async def settle_streams(log: Log) -> None:
    """End the streams whose server has ended: only then they are messages."""
    if log.exists:
        await Runtime.of(log).end_overdue()
