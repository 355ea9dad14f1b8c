"""The rule for bots that go on in the places of people who have gone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from shiny_labchat.domain.commands.study import Replace
from shiny_labchat.domain.decide.study import dissolve_group, end_in_room, study_in
from shiny_labchat.domain.decide.together import Decided, RuleTogether
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.lobby_settings import LobbySettings
from shiny_labchat.domain.logs import States
from shiny_labchat.domain.replacing import away_for, next_place
from shiny_labchat.domain.rules import replacing_bot
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.study import Participation

__all__ = ["RULES"]


def _replace(states: States, command: Replace, at: int) -> Decided:
    decided = Decided(states, at)
    room, study = LogKey(command.study, command.room), study_in(states, command.study)
    talk = cast(RoomState, decided.now(room))
    if not (talk.is_open and talk.has_begun) or talk.is_over(at):
        return decided
    people = [each for each in study.taking_part(room.id) if talk.membership(each.person)]
    gone = [each.person for each in people if each.person in set(command.gone) - set(talk.done)]
    bot = _bot_of(decided, room)
    if bot is None or not gone:
        return decided
    if len(gone) == len(people):
        for person in gone:
            end_in_room(decided, room, person, "idle")
        dissolve_group(decided, room)
    elif _are_told(people):
        for person in gone:
            _take_place(decided, room, person, *bot, command.random)
    return decided


def _bot_of(decided: Decided, room: LogKey) -> tuple[str, int] | None:
    """The bot that takes places in a room, and the largest size of its lobby's groups."""
    talk = cast(RoomState, decided.now(room))
    bot = replacing_bot(talk.rules)
    if bot is None or talk.lobby is None:
        return None
    lobby = cast(LobbyState, decided.now(LogKey(room.study, talk.lobby, "lobby")))
    settings = LobbySettings.of(lobby.settings)
    is_known = (settings.rules or {}).get("on_gone") == talk.rules.on_gone
    return (bot, settings.size.max) if is_known else None


def _are_told(people: Sequence[Participation]) -> bool:
    """Whether all have consented to a text that says that a program may take a place."""
    return all(each.consent is not None and each.consent.replacement for each in people)


def _take_place(
    decided: Decided, room: LogKey, person: str, bot: str, largest: int, random: str
) -> None:
    """Have a bot be the member of a room that somebody was, for all others; unless it is full."""
    talk = cast(RoomState, decided.now(room))
    id, left = next_place(bot, largest, talk.memberships), talk.memberships[person]
    if id is None:
        return
    end_in_room(decided, room, person, "replaced")
    away = away_for(talk.rules.grace, f"{random}\0{id}")
    data = {
        "handle": left.handle,
        "pseudonym": left.pseudonym,
        "role": "assistant",
        "shown": left.role_for(None),
        "is_bot": True,
        "replaces": person,
        "returns": decided.at + away,
    }
    decided.add(room, "joined", id, data)


RULES: dict[type, RuleTogether] = {Replace: _replace}
