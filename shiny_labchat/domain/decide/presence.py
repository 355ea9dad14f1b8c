"""The rules for the presence of members. Pure."""

from __future__ import annotations

from shiny_labchat.domain.commands import AskPresence, ConfirmPresence, EndQuestion, NotePresence
from shiny_labchat.domain.decide.shared import Rule, member_of, new_event
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.state import RoomState

__all__ = ["RULES"]


def _note(state: RoomState, command: NotePresence, at: int) -> list[Event]:
    membership = state.membership(command.member)
    if membership is None or membership.presence == command.presence:
        return []
    return [new_event(state, at, "presence", command.member, {"state": command.presence})]


def _ask(state: RoomState, command: AskPresence, at: int) -> list[Event]:
    if member_of(state, command.member).is_bot:
        return []
    return [new_event(state, at, "presence_asked", command.member, {"within": command.within})]


def _confirm(state: RoomState, command: ConfirmPresence, at: int) -> list[Event]:
    membership = state.membership(command.member)
    if membership is None or membership.question != command.of or at > membership.answer_by:
        return []
    return [new_event(state, at, "presence_confirmed", command.member, {"of": command.of})]


def _end(state: RoomState, command: EndQuestion, at: int) -> list[Event]:
    membership = state.membership(command.member)
    if membership is None or membership.question != command.of:
        return []
    return [new_event(state, at, "presence_unanswered", command.member, {"of": command.of})]


RULES: dict[type, Rule] = {
    AskPresence: _ask,
    ConfirmPresence: _confirm,
    EndQuestion: _end,
    NotePresence: _note,
}
