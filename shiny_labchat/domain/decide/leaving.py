"""What becomes of a lobby when somebody leaves it. Pure."""

from __future__ import annotations

from typing import cast

from shiny_labchat.domain.decide.together import Decided
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.lobby import LobbyState

__all__ = ["leave_lobby", "requeue_others"]


def leave_lobby(decided: Decided, lobby: LogKey, person: str, reason: str) -> None:
    """
    Give up a person's place, if they have one; others of their ready check go to the front.

    Of who was grouped, it is only noted that they have left the study.
    """
    place = cast(LobbyState, decided.now(lobby)).places.get(person)
    if place is None or place.status == "left":
        return
    if place.status == "grouped":  # its place is not given to anybody else
        decided.add(lobby, "ended", person, {"reason": reason})
        return
    decided.add(lobby, "left", person, {"reason": reason})
    if place.status == "matched":
        requeue_others(decided, lobby, place.match)


def requeue_others(decided: Decided, lobby: LogKey, number: int) -> None:
    """Put those who are still in a ready check to the front of the queue; it is over."""
    state = cast(LobbyState, decided.now(lobby))
    match = state.matches[number]
    others = [each for each in match.people if state.places[each].match == number]
    decided.add(lobby, "requeued", None, {"number": number, "people": others})
