"""Logs of a study in memory, to which commands are applied as the writer applies them."""

from __future__ import annotations

from shiny_labchat.domain.commands import Command, StudyCommand
from shiny_labchat.domain.decide import decide, decide_together
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.logs import State, empty_state, fold_any
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.study import Participation, StudyState

__all__ = ["Logs"]


class Logs:
    """
    The logs of one study.

    Attributes
    ----------
    events
        The events of each log.
    now
        The time, in microseconds; each command moves it on by one.
    """

    def __init__(self, study: str = "s") -> None:
        self.name = study
        self.events: dict[LogKey, list[Event]] = {}
        self.now = 1_000_000
        self._states: dict[LogKey, State] = {}

    def does(self, command: StudyCommand) -> list[Event]:
        """Apply a command to several logs; return its events."""
        self.now += 1
        states = {key: self.state(key) for key in command.logs}
        decided = decide_together(states, command, self.now)
        for key, events in decided.items():
            self._append(key, events)
        return [event for events in decided.values() for event in events]

    def in_room(self, room: str, command: Command) -> list[Event]:
        """Apply a command to a room; return its events."""
        self.now += 1
        key = LogKey(self.name, room)
        state = self.state(key)
        assert isinstance(state, RoomState)
        events = decide(state, command, self.now)
        self._append(key, events)
        return events

    def add(self, log: LogKey, kind: str, member: str | None = None, /, **data: object) -> None:
        """Append an event that no command makes here."""
        self._append(log, [Event(self.state(log).seq + 1, self.now, kind, member, data)])

    def _append(self, key: LogKey, events: list[Event]) -> None:
        for event in events:
            assert event.seq == self.state(key).seq + 1
            self._states[key] = fold_any(self.state(key), event)
        self.events.setdefault(key, []).extend(events)

    def state(self, key: LogKey) -> State:
        """The state of a log."""
        return self._states.get(key) or empty_state(key.kind)

    @property
    def study(self) -> StudyState:
        """The state of the study's own log."""
        state = self.state(LogKey(self.name, self.name, "study"))
        assert isinstance(state, StudyState)
        return state

    def lobby(self, lobby: str) -> LobbyState:
        """The state of a lobby."""
        state = self.state(LogKey(self.name, lobby, "lobby"))
        assert isinstance(state, LobbyState)
        return state

    def room(self, room: str) -> RoomState:
        """The state of a room."""
        state = self.state(LogKey(self.name, room))
        assert isinstance(state, RoomState)
        return state

    def person(self, person: str) -> Participation:
        """Somebody in the study."""
        return self.study.people[person]
