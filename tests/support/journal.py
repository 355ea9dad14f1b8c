"""A log that keeps all commands it has decided, so that they can be decided again."""

from __future__ import annotations

import os
import pickle
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from shiny_labchat.domain.commands import Advance, Command, OfStudy, Ready, StudyCommand
from shiny_labchat.domain.decide import MoreLogs, decide, decide_together
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.logs import State, empty_state, fold_any
from shiny_labchat.domain.state import RoomState
from shiny_labchat.errors import Refused
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.store import Log, events_after, parse
from shiny_labchat.store.batch import Batch, Outcome, StudyOutcome
from shiny_labchat.store.choosing import place_of
from shiny_labchat.store.database import Database
from shiny_labchat.store.engine import Place
from shiny_labchat.store.queries import row_of
from shiny_labchat.store.sqlite import READERS
from shiny_labchat.store.work import Work
from shiny_labchat.store.writer import Writer
from tests.support.beside import beside

__all__ = ["Decision", "decide_again", "journals_of", "record_commands"]


class Decision(NamedTuple):
    """
    A command that was decided in a transaction which is on disk.

    Parameters
    ----------
    command
        The command, with all that was known of people then.
    room
        The room, of a command to one room.
    at
        The time that it was decided at.
    before
        By log, the seq of the state that it was decided with.
    refused
        The code of the refusal; None: it was not refused.
    """

    command: Command | StudyCommand
    room: LogKey | None
    at: int
    before: Mapping[LogKey, int]
    refused: str | None


# ── while the server runs ──


class RecordingWriter(Writer):
    """A writer that notes each command with what it is decided with, once that is on disk."""

    def __init__(self, place: Place, journal: Path) -> None:
        super().__init__(place)
        self._journal = journal
        self._decisions: list[Decision] = []

    def _transact(self, batch: list[Work], is_careful: bool = False) -> Any:
        self._decisions = []
        news = super()._transact(batch, is_careful)
        with self._journal.open("ab") as out:
            for decision in self._decisions:
                pickle.dump(decision, out)
        return news

    def _do(
        self, work: Work, rooms: Batch, conn: sa.Connection, now: int, *, is_alone: bool
    ) -> None:
        command = work.command
        if isinstance(command, Advance | Ready):
            states = rooms._states(command)  # pyright: ignore[reportPrivateUsage]
            work.command = rooms._with_signs(command, states)  # pyright: ignore[reportPrivateUsage]
        heads = ((key, rooms.heads.get(key)) for key in work.logs)
        before = {key: head.state.seq if head else 0 for key, head in heads}
        super()._do(work, rooms, conn, now, is_alone=is_alone)
        result, error = work.result, work.error
        is_repeat = isinstance(result, Outcome | StudyOutcome) and result.is_repeat
        if work.command is None or is_repeat or isinstance(error, MoreLogs):
            return
        assert error is None or isinstance(error, Refused)
        room = None if isinstance(work.command, OfStudy) else work.logs[0]
        refused = None if error is None else error.code
        self._decisions.append(Decision(work.command, room, now, before, refused))


class RecordingLog(Log):
    """A log whose commands are noted in a file that belongs to the database."""

    def _begin(self) -> None:
        self._place = place_of(self.url)
        journal = _journal(self.url.render_as_string(), os.getpid())
        self._writer = RecordingWriter(self._place, journal)
        self._database = Database(self._place, write=False)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="labchat-read")


def record_commands() -> None:
    """Have the commands to this process's lab noted; to be called before there is any Lab."""
    url = os.environ["LABCHAT_URL"]
    if url not in _recording:
        _recording[url] = RecordingLog(parse(url))
        _recording[url].serve()
        Runtime.of(_recording[url])  # a Lab with this URL finds it


_recording: dict[str, RecordingLog] = {}


# ── afterwards ──


def _journal(url: str, process: object) -> Path:
    return beside(url, f"{process}.journal")


def journals_of(url: str) -> list[Decision]:
    """All decisions of all processes."""
    any_of = _journal(url, "*")
    found: list[Decision] = []
    for journal in sorted(any_of.parent.glob(any_of.name)):
        with journal.open("rb") as stored:
            while stored.peek(1):
                found.append(pickle.load(stored))
    return found


class _Stored:
    """The events of a log, and all states it has been in."""

    def __init__(self, key: LogKey, events: Iterable[Event]) -> None:
        self.events = list(events)
        self.states: list[State] = [empty_state(key.kind)]
        for event in self.events:
            self.states.append(fold_any(self.states[-1], event))


def decide_again(conn: sa.Connection, study: str, decisions: Iterable[Decision]) -> dict[str, int]:
    """
    Decide all commands anew; each must give the very events that are in the log after it.

    Returns how many commands were decided, refused and without effect, and how many events they
    gave; and how many events of the study's logs none of them has given.
    """
    logs: dict[LogKey, _Stored] = {}
    wanted = sa.text("SELECT key, study, id, kind FROM room WHERE study = :study")
    for number, *key in conn.execute(wanted, {"study": study}):
        logs[LogKey(*key)] = _Stored(LogKey(*key), events_after(conn, number, 0))
    given = defaultdict[LogKey, set[int]](set)
    counts = dict.fromkeys(("decided", "refused", "without effect", "events"), 0)
    for decision in decisions:
        if not all(key.study == study for key in decision.before):
            continue
        made = _decide(logs, decision)
        kind = "refused" if made is None else "decided" if made else "without effect"
        counts[kind] += 1
        for key, events in (made or {}).items():
            before = decision.before.get(key, 0)
            stored = logs[key].events[before : before + len(events)]
            assert [row_of(0, event) for event in events] == [row_of(0, each) for each in stored]
            seqs = {event.seq for event in events}
            assert not seqs & given[key], "two commands have given the same event"
            given[key] |= seqs
            counts["events"] += len(events)
    missing = {key: len(log.events) - len(given[key]) for key, log in logs.items()}
    return {**counts, "not given": sum(missing.values())}


def _decide(logs: Mapping[LogKey, _Stored], decision: Decision) -> Mapping[LogKey, Any] | None:
    """The events, by log; None: it is refused, as it was."""
    command, at = decision.command, decision.at
    states: dict[LogKey, State] = {}
    for key, seq in decision.before.items():
        states[key] = logs[key].states[seq] if key in logs else empty_state(key.kind)
    try:
        if decision.room is not None:
            room = cast(RoomState, states[decision.room])
            made = {decision.room: decide(room, cast(Command, command), at)}
        else:
            made = decide_together(states, cast(StudyCommand, command), at)
    except Refused as exc:
        assert exc.code == decision.refused
        return None
    assert decision.refused is None
    return {key: events for key, events in made.items() if events}
