"""What the writer is given to do, and what it tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from shiny_labchat.domain.commands import Command, Retract, StudyCommand
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.logs import State
from shiny_labchat.domain.withdrawal import changes_the_past
from shiny_labchat.store.engine import CleanHow
from shiny_labchat.store.reach import Reach

__all__ = ["Committed", "Job", "Listener", "Work"]


@dataclass(frozen=True, slots=True)
class Committed:
    """
    New events of a log that are on disk, in order, and its state after them.

    If another process wrote, events may be missing here. Then ``state.seq`` is larger than the last
    seq that the receiver has, and the log has the events. One of these may have changed the past
    (see `changes_the_past`), too; if it has changed states, `state` has been read anew.
    """

    log: LogKey
    events: tuple[Event, ...]
    state: State

    @property
    def is_rewritten(self) -> bool:
        """Whether earlier events are others now: whoever has read some has to read them again."""
        return any(map(changes_the_past, self.events))


@dataclass(slots=True)
class Work:
    """
    A command for one log or several, or a job; `tell` is called in `loop` with the result or error.

    `raises` says that the sender raises the error, so that it needs no line in the log. `is_last`
    says that a job is done after all work that was queued before it, as commands for one room are;
    other jobs do not wait for commands whose logs have to be read first. `missing` are those of the
    logs that were looked for and are not there. `reach` says where there is something of somebody
    who withdraws; such a command has a transaction of its own. `clean` asks for `clean`,
    between two transactions. `keeps_books` says whether a job needs all others to wait for it.
    """

    loop: asyncio.AbstractEventLoop
    tell: Callable[[Any, BaseException | None], None]
    logs: tuple[LogKey, ...] = ()
    command: Command | StudyCommand | None = None
    job: Job | None = None
    raises: bool = False
    is_last: bool = False
    keeps_books: bool = True
    result: Any = None
    error: BaseException | None = None
    missing: frozenset[LogKey] = frozenset()
    reach: Reach | None = None
    clean: CleanHow | None = None

    @property
    def is_alone(self) -> bool:
        """Whether it has a transaction of its own, as what others have stored is rewritten."""
        is_rewriting = self.reach is not None or isinstance(self.command, Retract)
        return is_rewriting or self.clean is not None


Listener = Callable[[list[Committed]], None]
Job = Callable[[sa.Connection, int], Any]
"""Is called with the transaction's connection, and the time in microseconds (UTC)."""
