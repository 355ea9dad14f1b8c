"""What a callback has noted of its runs, in a file that also a killed worker leaves."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["JOURNAL", "Entry", "entries", "faults_of_runs", "is_complete", "note"]

JOURNAL = "CLUSTER_JOURNAL"
"""The environment variable of the workers that has the file's name."""

_Message = tuple[str, int]
"""A message: its room, and its seq."""


class Entry(NamedTuple):
    """
    One line of the journal.

    Parameters
    ----------
    room, seq
        The message.
    what
        "begins" or "ends".
    is_repeat
        Whether the callback was told that it had been called with this message before.
    pid
        The worker's process.
    """

    room: str
    seq: int
    what: str
    is_repeat: bool
    pid: int


def note(journal: Path, entry: Entry) -> None:
    """Append a line, in one call of the system: nobody sees half of it."""
    line = f"{entry.room} {entry.seq} {entry.what} {entry.is_repeat:d} {entry.pid}\n"
    file = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def entries(journal: Path) -> list[Entry]:
    """All lines, in the order in which they were written."""
    if not journal.exists():
        return []
    lines = [line.split() for line in journal.read_text().splitlines()]
    return [
        Entry(room, int(seq), what, repeat == "1", int(pid))
        for room, seq, what, repeat, pid in lines
    ]


def is_complete(noted: Iterable[Entry], messages: Collection[_Message]) -> bool:
    """Whether the callback has ended for each message."""
    return {(each.room, each.seq) for each in noted if each.what == "ends"} >= set(messages)


def faults_of_runs(
    noted: Iterable[Entry], messages: Collection[_Message], killed: Collection[int]
) -> list[str]:
    """
    Messages for which the callback ran too often, not marked as a repeat, or not to its end.

    Parameters
    ----------
    noted
        The journal.
    messages
        All messages that there are.
    killed
        The processes that were killed: what they had begun is begun again, and marked.
    """
    runs: dict[_Message, list[Entry]] = defaultdict(list)
    for each in noted:
        runs[each.room, each.seq].append(each)
    missing = [f"{room} {seq}: it never ran" for room, seq in sorted(set(messages) - runs.keys())]
    found = [
        f"{room} {seq}: {why}"
        for (room, seq), some in sorted(runs.items())
        if (why := _fault(some, killed)) is not None
    ]
    unknown = [
        f"{room} {seq}: no such message" for room, seq in sorted(runs.keys() - set(messages))
    ]
    return [*missing, *found, *unknown]


def _fault(run: Sequence[Entry], killed: Collection[int]) -> str | None:
    begun = [each for each in run if each.what == "begins"]
    if begun[0].is_repeat and len(begun) == 1 and not killed:
        return "its only run was marked as a repeat"
    if any(not each.is_repeat for each in begun[1:]):
        return f"it ran {len(begun)} times, and this was not said"
    if any(each.pid not in killed for each in begun[:-1]):
        return f"it ran {len(begun)} times, and no worker was killed inside it"
    ends = [each.pid for each in run if each.what == "ends"]
    return None if ends and ends[-1] == begun[-1].pid else "it did not end"
