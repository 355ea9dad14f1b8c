"""What a board of ethics asks of a study, answered from its database."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

import sqlalchemy as sa

from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.messages import to_datetime
from shiny_labchat.domain.study import StudyState
from shiny_labchat.report.kept import Kept, kept_of
from shiny_labchat.report.safeguards import Evidence, Safeguard, safeguards
from shiny_labchat.store import Log, events_after, find_room
from shiny_labchat.store.choosing import is_in_file, ledger_of
from shiny_labchat.store.heads import load_head
from shiny_labchat.store.kept import (
    Called,
    Opened,
    called,
    counts_of,
    opened,
    people_seen,
    recruited,
    staff,
    typed,
    undisclosed,
)
from shiny_labchat.store.sqlite import file_of

__all__ = ["Ethics", "Export", "OpenFile", "ethics_of"]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class OpenFile(NamedTuple):
    """
    A file with words of people, or with who has withdrawn.

    Parameters
    ----------
    path
        The file.
    mode
        Its permissions, such as "-rw-------"; "": it is not there.
    others
        Whether others than its owner can read it.
    """

    path: str
    mode: str
    others: bool


class Export(NamedTuple):
    """
    An export that was taken, by which whoever has it can read it.

    Parameters
    ----------
    at
        When, as ISO 8601 (UTC).
    sha256
        The SHA-256 that says which one it is.
    formats
        Its formats.
    anonymised, public
        Whether it has other ids; and whether it has only who agreed to share their words.
    people
        Of how many people it has words.
    """

    at: str
    sha256: str
    formats: tuple[str, ...]
    anonymised: bool
    public: bool
    people: int


@dataclass(frozen=True, slots=True)
class Ethics:
    """
    What a board of ethics asks of a study.

    Parameters
    ----------
    study
        The study.
    said
        What its code says: purpose, basis, board, controller, contact; None: nothing.
    retain
        The last days on which ids of recruiters (`ids`) and all else (`words`) are kept.
    kept
        What is kept of people.
    models
        The models and functions that bots have called.
    undisclosed
        The ids of the bots that are, or may be, shown as people.
    files
        The files of the database, and the ledger of withdrawals.
    opened
        The valid links, browsers and bookmarks of observers and experimenters.
    exports
        The exports that were taken.
    safeguards
        Whether each safeguard is met.
    """

    study: str
    said: Mapping[str, str | None]
    retain: Mapping[str, str | None]
    kept: Sequence[Kept]
    models: Sequence[Called]
    undisclosed: Sequence[str]
    files: Sequence[OpenFile]
    opened: Sequence[Opened]
    exports: Sequence[Export]
    safeguards: Sequence[Safeguard]

    @property
    def is_met(self) -> bool:
        """Whether all safeguards are met."""
        return all(each.is_met for each in self.safeguards)

    def as_dict(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        rows = ("kept", "models", "files", "opened", "exports", "safeguards")
        lists = {name: [each._asdict() for each in getattr(self, name)] for name in rows}
        return asdict(self) | lists | {"is_met": self.is_met}


class _Found(NamedTuple):
    """What one look at the database finds."""

    state: StudyState
    counts: Mapping[tuple[str, str], int]
    recruited: int
    seen: int
    models: Sequence[Called]
    undisclosed: Sequence[str]
    opened: Sequence[Opened]
    exports: Sequence[Export]
    typed: int


async def ethics_of(log: Log, study: str) -> Ethics:
    """
    Read what a board of ethics asks of a study.

    Raises
    ------
    StoreError
        There is no such database.
    """
    found = await log.read(lambda conn: _find(conn, study))
    state = found.state
    bots = _undisclosed(state, found)
    database = file_of(log.url) if is_in_file(log.url) else None
    files = _files(database, ledger_of(log.url))
    settings = state.settings
    said = ("purpose", "basis", "board", "controller", "contact")
    retain: Mapping[str, str | None] = settings.get("retain") or {}
    evidence = _evidence(log, state, found)._replace(
        undisclosed=bots, open_files=[f"{each.path} ({each.mode})" for each in files if each.others]
    )
    return Ethics(
        study,
        {name: settings.get(name) for name in said},
        {name: retain.get(name) for name in ("ids", "words")},
        kept_of(
            *(state, found.counts, found.recruited, found.seen),
            prompts=sum(each.calls for each in found.models),
            typed=found.typed,
        ),
        *(found.models, bots, files, found.opened, found.exports),
        safeguards(settings, evidence),
    )


def _find(conn: sa.Connection, study: str) -> _Found:
    now = time.time_ns() // 1000
    head = load_head(conn, study_log(study))
    return _Found(
        StudyState() if head is None else cast(StudyState, head.state),
        counts_of(conn, study),
        recruited(conn, study),
        people_seen(conn, study),
        called(conn, study),
        undisclosed(conn, study),
        opened(conn, study, staff(conn, study), now),
        _exports(conn, study),
        typed(conn, study),
    )


def _exports(conn: sa.Connection, study: str) -> list[Export]:
    log = find_room(conn, study_log(study))
    events = [] if log is None else events_after(conn, log[0], 0, kinds=["exported"])
    return [
        Export(
            to_datetime(each.at).isoformat(),
            each.data["sha256"],
            tuple(each.data.get("formats", ())),
            bool(each.data.get("anonymised")),
            bool(each.data.get("public")),
            len(each.data.get("people", ())),
        )
        for each in events
    ]


def _undisclosed(state: StudyState, found: _Found) -> list[str]:
    """The bots that were shown as people, and those on record that may be."""
    bots: Iterable[Mapping[str, Any]] = state.settings.get("bots") or ()
    ids = {bot["id"] for bot in bots if not bot["disclosed"] and not bot.get("shadow")}.union(
        found.undisclosed
    )
    if not ids and state.settings.get("deceives"):
        return ["bots of a lobby"]
    return sorted(ids)


def _evidence(log: Log, state: StudyState, found: _Found) -> Evidence:
    ledger = {each.new for each in log.ledger.entries()}
    people = state.people.values()
    withdrawn = [each.person for each in people if each.withdrawn is not None]
    return Evidence(
        today=to_datetime(time.time_ns() // 1000).date().isoformat(),
        recruited=found.recruited,
        unblanked=len(state.people) - len(withdrawn),
        to_delete=sum(each.wants_withdrawal for each in people),
        staff_links=sum(each.number for each in found.opened),
        withdrawn=len(withdrawn),
        in_ledger=sum(each in ledger for each in withdrawn),
        unencrypted=sorted({url for each in found.models if _is_plain(url := each.base_url or "")}),
    )


def _is_plain(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in LOOPBACK


def _files(database: Path | None, ledger: Path) -> list[OpenFile]:
    files: list[Path] = []
    if database is not None:
        files += [database.with_name(database.name + end) for end in ("", "-wal", "-shm")]
    found = [_file(each) for each in files if each.exists()]
    return [*found, _file(ledger)]


def _file(path: Path) -> OpenFile:
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return OpenFile(str(path), "", others=False)
    return OpenFile(str(path), stat.filemode(mode), others=_is_open(path, mode))


def _is_open(path: Path, mode: int) -> bool:
    """Whether the group, or all others, can read a file, and enter all folders above it."""
    above = [os.stat(folder).st_mode for folder in path.parents]
    ways = (stat.S_IRGRP, stat.S_IXGRP), (stat.S_IROTH, stat.S_IXOTH)
    return any(mode & read and all(each & enter for each in above) for read, enter in ways)
