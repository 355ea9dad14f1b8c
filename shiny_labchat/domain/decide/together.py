"""The events of a command that needs the states of several logs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from shiny_labchat.domain.commands import Command
from shiny_labchat.domain.decide.in_room import decide
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.logs import State, States, fold_any
from shiny_labchat.domain.state import RoomState

__all__ = ["Decided", "MoreLogs", "RuleTogether"]


class MoreLogs(Exception):
    """
    A rule needs the states of further logs; who sent the command sends it again with them.

    Parameters
    ----------
    logs
        The logs.
    """

    def __init__(self, *logs: LogKey) -> None:
        self.logs = logs
        super().__init__(logs)


class Decided:
    """
    The events that a command causes, by log.

    Parameters
    ----------
    states
        The states of the logs.
    at
        The time, in microseconds since 1970 (UTC).

    Attributes
    ----------
    events
        The events; of each log in order, with the seqs that follow its state's.
    at
        As given.
    """

    def __init__(self, states: States, at: int) -> None:
        self.events: dict[LogKey, list[Event]] = {}
        self.at = at
        self._states = dict(states)

    def add(
        self,
        log: LogKey,
        kind: str,
        member: str | None = None,
        data: Mapping[str, Any] | None = None,
        cid: str | None = None,
    ) -> None:
        """
        Add an event to a log.

        Raises
        ------
        MoreLogs
            The log's state is not among those that are known.
        """
        event = Event(self.now(log).seq + 1, self.at, kind, member, data or {}, cid)
        self._append(log, [event])

    def run(self, room: LogKey, command: Command) -> None:
        """
        Add the events that a command causes in a room.

        Raises
        ------
        MoreLogs
            The room's state is not among those that are known.
        """
        self._append(room, decide(cast(RoomState, self.now(room)), command, self.at))

    def need(self, logs: Iterable[LogKey]) -> None:
        """
        Ask for the states of several logs at once.

        Raises
        ------
        MoreLogs
            Some are not among those that are known.
        """
        missing = [log for log in logs if log not in self._states]
        if missing:
            raise MoreLogs(*missing)

    def now(self, log: LogKey) -> State:
        """
        The state of a log, with the events so far.

        Raises
        ------
        MoreLogs
            It is not among those that are known.
        """
        if log not in self._states:
            raise MoreLogs(log)
        return self._states[log]

    def _append(self, log: LogKey, events: list[Event]) -> None:
        if not events:
            return
        self.events.setdefault(log, []).extend(events)
        for event in events:
            self._states[log] = fold_any(self._states[log], event)


RuleTogether = Callable[[States, Any, int], Decided]
"""Takes the states of logs, a command of one type, and the time; see `decide_together`."""
