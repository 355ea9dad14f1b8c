"""What people do on the screens of a study: each action becomes a command, in their own name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from secrets import token_hex

from shiny_labchat.domain.commands import (
    Confirm,
    Consent,
    Debrief,
    EndPerson,
    EnterLobby,
    Ready,
    StudyCommand,
    TakeName,
    WaitLonger,
)
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.screen_parts import Action, Screen
from shiny_labchat.errors import Refused
from shiny_labchat.study_protocol import Do

__all__ = ["OLDER_MAY", "Submit", "command_for"]

OLDER_MAY: tuple[Action, ...] = ("here", "stop", "debriefed")
"""What a person can do in an older browser of theirs, too."""

Submit = Callable[[StudyCommand], Awaitable[object]]
"""Has a command decided and stored."""


def command_for(
    frame: Do,
    study: str,
    person: str,
    screen: Screen,
    lobby: tuple[str, LobbyState] | None,
) -> StudyCommand | None:
    """
    The command for what somebody does; None: there is nothing to do any more.

    Parameters
    ----------
    frame
        What they do. It never says who.
    study, person
        The study, and who they are.
    screen
        What they see.
    lobby
        The id and state of the lobby in which they are; None: in none.

    Raises
    ------
    Refused
        ``not_waiting``: it can be done in a lobby only.
    """
    match frame.action:
        case "consent":
            return Consent(study, person, frame.version, answers=frame.answers)
        case "refuse":
            return Consent(study, person, frame.version, agrees=False)
        case "leave" | "stop":
            return EndPerson(study, person, "withdrew", frame.delete)
        case "debriefed":
            return Debrief(study, person, frame.keep)
        case "here":
            return None
        case _ if lobby is None:
            raise Refused("not_waiting", member=person)
        case "name":
            return TakeName(study, lobby[0], person, frame.name)
        case _:
            return _in_lobby(frame.action, study, person, screen, *lobby)


def _in_lobby(
    action: Action, study: str, person: str, screen: Screen, lobby: str, state: LobbyState
) -> StudyCommand | None:
    match action:
        case "wait_again":  # whoever does not wait yet begins to where the app draws the lobby
            return EnterLobby(study, lobby, person) if _is_offered(action, screen) else None
        case "confirm":
            return Confirm(study, lobby, person)
        case "longer":  # only as often as it was offered, so that a double click is one
            return WaitLonger(study, lobby, person) if _is_offered(action, screen) else None
        case _:
            place = state.places.get(person)
            number = 0 if place is None else place.match
            return Ready(study, lobby, person, number, None, token_hex(32))


def _is_offered(action: Action, screen: Screen) -> bool:
    return any(button.action == action for button in screen.buttons)
