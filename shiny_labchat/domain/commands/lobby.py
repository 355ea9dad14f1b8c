"""Commands about a lobby and the people who wait in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shiny_labchat.domain.commands.study import OfStudy, study_log
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.grouping import Leftover

__all__ = [
    "Advance",
    "Confirm",
    "DescribeLobby",
    "EnterLobby",
    "LobbySigns",
    "NextRound",
    "OfLobby",
    "Ready",
    "TakeName",
    "WaitLonger",
    "lobby_log",
]


def lobby_log(study: str, lobby: str) -> LogKey:
    """The key of a lobby's log."""
    return LogKey(study, lobby, "lobby")


@dataclass(frozen=True, slots=True)
class OfLobby(OfStudy):
    """A command about a lobby; the first log is the lobby's, the second one its study's."""

    lobby: str

    @property
    def logs(self) -> tuple[LogKey, ...]:
        """The logs whose states its rule needs; the first one has the command's id."""
        return lobby_log(self.study, self.lobby), study_log(self.study), *self.also


@dataclass(frozen=True, slots=True)
class DescribeLobby(OfLobby):
    """
    Give settings of a lobby.

    `is_default`: the app's code says so; what was configured while the lobby was in use, stays.
    """

    seed: str
    settings: Mapping[str, Any]
    is_default: bool = True


@dataclass(frozen=True, slots=True)
class EnterLobby(OfLobby):
    """
    Take a place in a lobby, at the back; who has one keeps it.

    Where people choose their pseudonyms, who has none yet is asked for it first.
    """

    person: str


@dataclass(frozen=True, slots=True)
class TakeName(OfLobby):
    """Choose the pseudonym that one has throughout the study, and take the place in the lobby."""

    person: str
    name: str


@dataclass(frozen=True, slots=True)
class WaitLonger(OfLobby):
    """Wait longer than at most was said, as often as the lobby allows."""

    person: str


@dataclass(frozen=True, slots=True)
class Confirm(OfLobby):
    """Answer that one is still there, when asked after a while without a sign."""

    person: str


@dataclass(frozen=True, slots=True)
class LobbySigns:
    """
    What servers know of the people in a lobby when a command is decided.

    Parameters
    ----------
    seen
        When each was last heard of, in microseconds since 1970 (UTC).
    idle
        Since when each has touched nothing, of those who have not for a while.
    asked_since
        Since when pages have been asked: nobody is gone because there was no server.
    """

    seen: Mapping[str, int]
    idle: Mapping[str, int] = field(default_factory=dict[str, int])
    asked_since: int = 0


@dataclass(frozen=True, slots=True)
class Advance(OfLobby):
    """
    Do what is due in a lobby.

    Waits and ready checks whose time is over end, whoever seems idle is asked, and groups are
    formed of those who are there.

    Parameters
    ----------
    signs
        What is known of the people; None: it is read in the transaction that decides.
    random
        Random text, from which ids are made that nobody can guess.
    groups
        The groups that the app's own function proposes; None: it has none.
    cells
        By the ids of the people of a group, the condition that the app's own function proposes for
        it; None: it has none.
    held
        Groups for which the app's own function could not say the condition, by the ids of their
        people: they are not formed now, and everything else goes on.
    timeouts
        By the id of somebody who has waited long enough, what each of the app's own functions
        proposes: "smaller", "stand_ins", "leave", "wait", a reason to leave the study, or None,
        which leaves it to what comes next; None: it has none.
    leftover
        Start now, with all who are here: "spread", "small" or "wait"; None: nobody said so.
    divisions
        By the ids of the people of a cohort, the groups of their first round that the app's own
        function proposes; None: it has none.
    everyone
        Whether those are meant, too, who take part in the study and do not wait here.
    """

    signs: LobbySigns | None
    random: str
    groups: Sequence[Sequence[str]] | None = None
    cells: Mapping[frozenset[str], Any] | None = None
    held: frozenset[frozenset[str]] = frozenset()
    timeouts: Mapping[str, Sequence[str | None]] | None = None
    leftover: Leftover | None = None
    divisions: Mapping[frozenset[str], Sequence[Sequence[str]]] | None = None
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class Ready(OfLobby):
    """
    Answer a ready check; the last one to answer has the group formed.

    Where the app proposes anything of its people, the next `Advance` forms it.

    `signs`, `random`, `cells`, `divisions`: as of `Advance`.
    """

    person: str
    match: int
    signs: LobbySigns | None
    random: str
    cells: Mapping[frozenset[str], Any] | None = None
    divisions: Mapping[frozenset[str], Sequence[Sequence[str]]] | None = None


@dataclass(frozen=True, slots=True)
class NextRound(OfLobby):
    """
    Begin the next round of a cohort, once the last one is over.

    Parameters
    ----------
    cohort
        The number of the cohort.
    after
        The number of the round that is the last one so far; if it is another one by now, nothing
        happens.
    random
        Random text, from which ids are made that nobody can guess.
    is_forced
        Whether the round is over because the app's code says so, whoever has not done yet what
        ends it.
    groups
        The groups that the app's own function proposes; None: it has none.
    """

    cohort: int
    after: int
    random: str
    is_forced: bool = False
    groups: Sequence[Sequence[str]] | None = None
