"""The rule for what is to be done at a moment. Pure."""

from __future__ import annotations

from typing import Any

from shiny_labchat.domain.commands.triggers import Trigger
from shiny_labchat.domain.decide.shared import Rule, check_storable, new_event
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.triggers import due_at

__all__ = ["RULES"]


def _trigger(state: RoomState, command: Trigger, at: int) -> list[Event]:
    check_storable(command.callback, command.name, command.instruction or "")
    if command.moment is not None:
        due = due_at(state, command.moment)
        if due is None or at < due or state.is_over(at):
            return []
    data: dict[str, Any] = {"callback": command.callback, "name": command.name}
    if command.instruction is not None:
        data["instruction"] = command.instruction
    return [new_event(state, at, "triggered", None, data, command.cid)]


RULES: dict[type, Rule] = {Trigger: _trigger}
