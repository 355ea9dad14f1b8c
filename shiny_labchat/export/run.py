"""An export from beginning to end: what is read, written, put in place, and recorded."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from shiny_labchat.domain.commands import RecordExport
from shiny_labchat.errors import LabChatError
from shiny_labchat.export.csv_format import CsvSink
from shiny_labchat.export.facts import StudyFacts
from shiny_labchat.export.folder import check_folder, new_folder, put_in_place
from shiny_labchat.export.format import About, Format, Sink, Table
from shiny_labchat.export.formats import FORMATS
from shiny_labchat.export.order import Exported, Order, Progress
from shiny_labchat.export.source import Source, Stopped, select_heads
from shiny_labchat.export.tables import Tables
from shiny_labchat.export.write import Ids, People, Written, scan, write_folder, write_tables
from shiny_labchat.store import Log
from shiny_labchat.store.exporting import (
    LogHead,
    bots_of_log,
    draw_ids,
    heads_of_logs,
    members_of_log,
    new_id,
)

__all__ = [
    "Given",
    "Overtaken",
    "export_folder",
    "export_messages",
    "give_tables",
    "record_export",
]

T = TypeVar("T")

TRIES = 5
"""How often an export is begun again because somebody has withdrawn their data meanwhile."""


class Overtaken(LabChatError):
    """People have withdrawn their data again and again while an export was written."""


async def export_folder(
    log: Log,
    folder: Path,
    order: Order,
    progress: Progress | None = None,
    *,
    is_gentle: bool = False,
) -> Exported:
    """
    Export into a folder.

    Parameters
    ----------
    log
        The database.
    folder
        The folder; one that holds an export is replaced as a whole.
    order
        What is asked for.
    progress
        Called in the running event loop with how many events were read, and how many there are.
    is_gentle
        Whether this process serves pages, which must not wait for the export.

    Raises
    ------
    NotAnExport
        The folder has files that no export has written.
    ValueError
        There is no such study or room.
    Overtaken
        People have withdrawn their data again and again meanwhile.
    StoreError
        The database could not be read or written.
    """
    for name in order.formats:
        FORMATS[name].check()
    check_folder(folder)
    for _ in range(TRIES):
        source = await _source(log, order, progress, is_gentle)
        async with _temporary(folder) as made:
            studies, ids = await _prepared(log, source, order)
            job = partial(write_folder, source, made, order, studies, ids)
            written: Written = await _in_thread(source, job)
            if await _record(log, order, studies, written.sha256, written.people):
                await asyncio.to_thread(put_in_place, made, folder)
                return Exported(folder, written.sha256, written.counts)
    raise Overtaken("people withdraw their data right now; export again in a moment")


async def export_messages(
    log: Log, file: BinaryIO, order: Order, progress: Progress | None = None
) -> None:
    """
    Write only the table of messages, as CSV, to a file such as the standard output.

    Raises
    ------
    BrokenPipeError
        Nobody reads any more. What was written is recorded, too.
    """
    source = await _source(log, order, progress, is_gentle=False)
    studies, ids = await _prepared(log, source, order)
    hashed, people = _Hashed(file), dict[str, set[str]]()
    tables = Tables({"csv": _Stream(hashed, order.is_excel_safe)}, ["messages"])
    try:
        with tempfile.TemporaryDirectory(prefix="labchat-") as folder:
            spool = Path(folder) / "answers"
            await _in_thread(source, lambda: _write_messages(
                source, tables, order, studies, ids, spool, people
            ))  # fmt: skip
    finally:
        await _record(log, order, studies, hashed.sha256, people, upto=None)


def _write_messages(
    source: Source, tables: Tables, order: Order, studies: Sequence[StudyFacts], ids: Ids,
    spool: Path, people: dict[str, set[str]],
) -> None:  # fmt: skip
    write_tables(source, tables, order, studies, ids, spool=spool, people=people)
    tables.close()


class _Hashed:
    """A file of which it is known what was written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, content: bytes) -> None:
        self._hash.update(content)
        self._file.write(content)
        self._file.flush()

    def close(self) -> None:
        self._file.flush()


class _Stream:
    """CSV to a file that is open."""

    def __init__(self, file: _Hashed, is_excel_safe: bool) -> None:
        self._file: Any = file
        self._is_excel_safe = is_excel_safe

    def open(self, table: Table) -> Sink:
        return CsvSink(self._file, table.columns, is_excel_safe=self._is_excel_safe)

    def finish(self, about: About) -> Mapping[str, Path]:
        return {}


# ── steps ────────────────────────────────────────────────────────────────────────────────────


async def _source(log: Log, order: Order, progress: Progress | None, is_gentle: bool) -> Source:
    """What is to be read, up to where the logs are now."""
    heads = await log.read(lambda conn: heads_of_logs(conn, order.study))
    _check_found(heads, order)
    loop = asyncio.get_running_loop()

    def tell(done: int, total: int) -> None:
        if progress is not None:
            loop.call_soon_threadsafe(progress, done, total)

    return Source(log, select_heads(heads, order.rooms), tell, is_gentle=is_gentle)


def _check_found(heads: Sequence[LogHead], order: Order) -> None:
    if not heads:
        what = "no study" if order.study is None else f"no study {order.study!r}"
        raise ValueError(f"there is {what} in the database, so nothing to export")
    known = {head.key.id for head in heads if head.key.kind == "room"}
    missing = [repr(room) for room in order.rooms or () if room not in known]
    if missing:
        raise ValueError(f"there is no room {', '.join(missing)} to export")


async def _prepared(log: Log, source: Source, order: Order) -> tuple[list[StudyFacts], Ids]:
    studies: list[StudyFacts] = await _in_thread(source, partial(scan, source))
    ids: dict[str, Mapping[str, str]] = {}
    if order.is_anonymous:
        for study in studies:
            members = await _in_thread(source, partial(_people_of, source, study))
            if order.has_new_ids:
                ids[study.name] = {member: new_id() for member in sorted(members)}
            else:
                draw = partial(draw_ids, study=study.name, members=members)
                ids[study.name] = await log.write(lambda conn, now, draw=draw: draw(conn))
    return studies, ids


def _people_of(source: Source, study: StudyFacts) -> set[str]:
    """All whom the logs of a study name, but for bots."""
    heads = source.of_study(study.name)
    people, bots = (source.names(heads, read) for read in (members_of_log, bots_of_log))
    return (people - bots) | study.state.people.keys()


async def _record(
    log: Log,
    order: Order,
    studies: Sequence[StudyFacts],
    sha256: str,
    people: People,
    upto: int | None = 0,
) -> bool:
    """
    Record an export in the log of each study; whether nobody has withdrawn their data meanwhile.

    `upto` None: it is recorded in any case, as it is out.
    """
    marker = order.marker([], order.rooms)
    about = {name: marker[name] for name in ("formats", "anonymised", "public", "since", "rooms")}
    for study in studies:
        named = {**about, "people": sorted(people.get(study.name, ()))}
        seq = study.seq if upto is not None else _EVER
        outcome = await log.submit_together(RecordExport(study.name, sha256, seq, named))
        if not outcome.events:
            return False
    return True


_EVER = 2**62


# ── threads ──────────────────────────────────────────────────────────────────────────────────


async def _in_thread(source: Source, job: Callable[[], T]) -> T:
    """Run a job in a thread; if nobody waits for it any more, it is stopped before this returns."""

    def run() -> T | None:
        try:
            return job()
        except Stopped:  # there is nobody to tell
            return None

    running = asyncio.ensure_future(asyncio.to_thread(run))
    try:
        return cast(T, await asyncio.shield(running))
    except asyncio.CancelledError:
        source.is_stopped = True
        await asyncio.wait([running])
        raise


@asynccontextmanager
async def _temporary(folder: Path) -> AsyncGenerator[Path]:
    """As `new_folder`, without the event loop waiting for the disk."""
    made = new_folder(folder)
    path = await asyncio.to_thread(made.__enter__)
    try:
        yield path
    finally:
        await asyncio.shield(asyncio.to_thread(made.__exit__, None, None, None))


# ── for others who look at the rows ──────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Given:
    """
    What `give_tables` has given.

    Parameters
    ----------
    studies
        The studies, as they were read.
    people
        Whose words the rows have.
    """

    studies: Sequence[StudyFacts]
    people: People


async def give_tables(
    log: Log,
    order: Order,
    formats: Mapping[str, Format],
    only: Sequence[str],
    progress: Progress | None = None,
) -> Given:
    """
    Give the rows of some tables to formats that write no export; nothing is recorded.

    Raises
    ------
    ValueError
        There is no such study or room.
    StoreError
        The database could not be read.
    """
    source = await _source(log, order, progress, is_gentle=False)
    studies, ids = await _prepared(log, source, order)
    people: dict[str, set[str]] = {}
    tables = Tables(formats, only)
    with tempfile.TemporaryDirectory(prefix="labchat-") as folder:
        spool = Path(folder) / "answers"
        job = partial(write_tables, source, tables, order, studies, ids, spool=spool, people=people)
        await _in_thread(source, job)
    tables.close()
    return Given(studies, people)


async def record_export(log: Log, order: Order, given: Given, sha256: str) -> None:
    """Record that words were given out, though somebody may have withdrawn theirs meanwhile."""
    await _record(log, order, given.studies, sha256, given.people, upto=None)
