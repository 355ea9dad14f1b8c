"""The states of logs of all kinds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shiny_labchat.domain.events import Event, LogKey, LogKind
from shiny_labchat.domain.lobby import LobbyState, fold_all_lobby, fold_lobby
from shiny_labchat.domain.state import RoomState, fold, fold_all
from shiny_labchat.domain.study import StudyState, fold_all_study, fold_study

__all__ = ["State", "States", "empty_state", "fold_any", "fold_any_all"]

State = RoomState | StudyState | LobbyState
"""The state of a log: that of its kind."""

States = Mapping[LogKey, State]
"""The states of some logs, all as of one moment; of a log that is not there, the empty state."""


def empty_state(kind: LogKind) -> State:
    """The state of a log before its first event."""
    match kind:
        case "room":
            return RoomState()
        case "study":
            return StudyState()
        case "lobby":
            return LobbyState()


def fold_any(state: State, event: Event) -> State:
    """The state of a log after an event."""
    match state:
        case RoomState():
            return fold(state, event)
        case StudyState():
            return fold_study(state, event)
        case LobbyState():
            return fold_lobby(state, event)


def fold_any_all(state: State, events: Iterable[Event]) -> State:
    """The state of a log after events: what `fold_any` gives one by one, at a linear cost."""
    match state:
        case RoomState():
            return fold_all(state, events)
        case StudyState():
            return fold_all_study(state, events)
        case LobbyState():
            return fold_all_lobby(state, events)
