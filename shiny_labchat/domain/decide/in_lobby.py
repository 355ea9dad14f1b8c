"""A lobby while a command about it is decided. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, cast

from shiny_labchat.domain.commands.lobby import OfLobby, lobby_log
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.decide.study import end_person
from shiny_labchat.domain.decide.together import Decided
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.grouping import lobby_seed
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.lobby_settings import LobbySettings
from shiny_labchat.domain.logs import States
from shiny_labchat.domain.study import StudyState

__all__ = ["InLobby"]


@dataclass(frozen=True, slots=True)
class InLobby:
    """
    A lobby while a command is decided.

    Parameters
    ----------
    name, log, study
        The lobby's id, and the keys of its log and of its study's.
    settings
        Its settings.
    decided
        The events so far.
    """

    name: str
    log: LogKey
    study: LogKey
    settings: LobbySettings
    decided: Decided

    @classmethod
    def of(cls, states: States, command: OfLobby, at: int) -> Self:
        """The lobby of a command."""
        log = lobby_log(command.study, command.lobby)
        decided = Decided(states, at)
        settings = LobbySettings.of(cast(LobbyState, decided.now(log)).settings)
        return cls(command.lobby, log, study_log(command.study), settings, decided)

    @property
    def state(self) -> LobbyState:
        """The lobby, with the events so far."""
        return cast(LobbyState, self.decided.now(self.log))

    @property
    def people(self) -> StudyState:
        """The study, with the events so far."""
        return cast(StudyState, self.decided.now(self.study))

    @property
    def seed(self) -> str:
        """The seed of the lobby's draws."""
        given = self.people.settings.get("seed")
        return lobby_seed(self.people.seed if given is None else str(given), self.name)

    @property
    def next_number(self) -> int:
        """The number of its next group."""
        return self.people.numbers.get(self.name, 0) + 1

    @property
    def next_cohort(self) -> int:
        """The number of its next cohort."""
        known = (number for lobby, number in self.people.cohorts if lobby == self.name)
        return max(known, default=0) + 1

    def end(self, person: str, reason: str) -> None:
        """End a person's part in the study."""
        end_person(self.decided, self.study.study, person, reason)
