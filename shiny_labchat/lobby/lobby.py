"""A lobby for Shiny: where people wait, and the room of the group that they get."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, cast

from htmltools import Tag

from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.lobby_settings import LobbySettings
from shiny_labchat.domain.messages import to_datetime
from shiny_labchat.domain.rounds import has_no_group
from shiny_labchat.domain.study import Cohort, Participation, StudyState
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room
from shiny_labchat.lobby.lobby_session import LobbySession, lobby_session
from shiny_labchat.lobby.session import known_session, study_session
from shiny_labchat.lobby.study import Study, named_study
from shiny_labchat.study.lobby import Lobby as _Lobby
from shiny_labchat.study.person import Person

__all__ = ["Lobby", "State"]

State = Literal["consent", "waiting", "ready", "grouped", "ended"]
"""What a lobby is to a person."""


class Lobby(_Lobby):
    __doc__ = _Lobby.__doc__

    if not TYPE_CHECKING:  # it takes what the base's takes

        @wraps(_Lobby.__init__)
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            session = study_session(self._study, is_by_name=True)
            if session is not None:
                session.identity = self._settings["identity"]
                lobby_session(session, self.id, self.enter)

    def _new_study(self, name: str, lab: Lab) -> Study:
        return named_study(name, lab)

    @property
    def study(self) -> Study:
        """Its study."""
        return cast(Study, self._study)

    # ── what its person sees and is ──

    def ui(self) -> Tag:
        """
        What this person is to do or wait for now: consent, a group, the end.

        Where it is drawn, its person waits for a group, once they have consented if the study asks
        for that. Drawing it for somebody who has a group does not group them again.

        Returns
        -------
        Tag
            A ``<labchat-study>``.

        Raises
        ------
        RuntimeError
            It is called outside a session.
        """
        self._here().draw()
        return self.study.ui()

    def room(self) -> Room | None:
        """
        Reactively read the room of this person's group.

        Returns
        -------
        Room or None
            None before there is one that the app has prepared, in a round in which they have no
            group, and once the person has ended.
        """
        study = self._here().study
        known = study.participation()
        if known is None or known.ended is not None:
            return None
        room = study.read(lambda state: _shown_room(state, known, self.id))
        return None if room is None else self.lab.room(room, study=self.study)

    def state(self) -> State | None:
        """
        Reactively read what the lobby is to this person.

        Returns
        -------
        str or None
            "consent" (they are asked), "waiting" (also in a round in which they have no group),
            "ready" (they are asked whether they are there), "grouped" or "ended". None before any
            of this is known, and before they have come here.
        """
        here = self._here()
        known = here.study.participation()
        if known is None:
            return None
        if known.ended is not None:
            return "ended"
        if not here.study.takes_part():
            return "consent"
        place = here.place()
        if place is None:
            return None
        has_none = here.study.read(lambda state: has_no_group(state, known.person))
        return "waiting" if has_none else _STATES[place.status]

    def waiting(self) -> Awaitable[int] | int | None:
        """
        Reactively read how many people wait here; None before it is known.

        Outside a session it is awaited: ``await lobby.waiting()``.
        """
        if study_session(self._study, is_by_name=True) is None:
            return super().waiting()
        return self._here().read(lambda state: len(state.queue))

    def position(self) -> int | None:
        """Reactively read this person's place in the line, from 1; None: not in it."""
        here = self._here()
        person = here.study.id
        return here.read(lambda state: _position(state, person))

    def deadline(self) -> datetime | None:
        """
        Reactively read until when this person waits at most: aware, UTC.

        None: they do not wait, or it is not known.
        """
        here = self._here()
        place = here.place()
        if place is None or place.status != "waiting":
            return None
        until = here.read(
            lambda state: LobbySettings.of(state.settings).deadline(place.since, place.extended)
        )
        return None if until is None else to_datetime(until)

    def condition(self) -> Any:
        """Reactively read what is varied for this person's group; None: no group."""
        known = self._here().study.participation()
        return None if known is None else known.condition

    def round(self) -> int | None:
        """
        Reactively read the number of this person's round, from 1.

        None: they are in no cohort. It counts on also in a round in which they have no group.
        """
        cohort = self._cohort()
        return None if cohort is None else cohort.round

    def cohort(self) -> int | None:
        """Reactively read the number of this person's cohort, from 1; None: none."""
        cohort = self._cohort()
        return None if cohort is None else cohort.number

    def _cohort(self) -> Cohort | None:
        study = self._here().study
        known = study.participation()
        if known is None:
            return None
        found = study.read(lambda state: state.cohort_of(known.person))
        return found if found is not None and found.lobby == self.id else None

    def person(self) -> Person | None:
        """Reactively read the person of this page, as :meth:`Study.person`."""
        return self.study.person()

    def _here(self) -> LobbySession:
        return lobby_session(known_session(self._study), self.id, self.enter)


_STATES: dict[str, State] = {
    "naming": "waiting",
    "waiting": "waiting",
    "missed": "waiting",
    "left": "waiting",
    "matched": "ready",
    "grouped": "grouped",
}
"""What a lobby is to a person, by what they do there."""


def _position(state: LobbyState, person: str | None) -> int | None:
    return state.queue.index(person) + 1 if person in state.queue else None


def _shown_room(state: StudyState, person: Participation, lobby: str) -> str | None:
    groups = (state.groups[room] for room in reversed(person.rooms))
    found = next((group for group in groups if group.lobby == lobby), None)
    if found is None or not found.is_shown:
        return None
    has_none = found.cohort and found.room == person.room and has_no_group(state, person.person)
    return None if has_none else found.room
