"""The rule for the end of a stream. Pure."""

from __future__ import annotations

from typing import Any

from shiny_labchat.domain.commands import EndStream
from shiny_labchat.domain.decide.shared import Rule, check_storable, new_event, strings_of
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.state import RoomState

__all__ = ["RULES"]


def _end_stream(state: RoomState, command: EndStream, at: int) -> list[Event]:
    taken = ("".join(piece[2:]) for piece in command.pieces)
    said = command.original or "", command.error or "", *strings_of(command.parts)
    check_storable(*said, *taken)
    data: dict[str, Any] = {"of": command.of, "is": command.how, "parts": list(command.parts)}
    if command.deps:
        data["deps"] = list(command.deps)
    if command.audience is not None:
        data["audience"] = list(command.audience)
    if command.by_network:
        data["by_network"] = True
    if command.error is not None:
        data["error"] = command.error
    if command.turns:
        data["turns"] = list(command.turns)
    if command.original is not None:
        data["original"] = command.original
    if command.pieces:
        data["pieces"] = list(command.pieces)
    return [new_event(state, at, "streamed", None, data, command.cid)]


RULES: dict[type, Rule] = {EndStream: _end_stream}
