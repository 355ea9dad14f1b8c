"""The rule for retracting a message. Pure."""

from __future__ import annotations

from typing import Any

from shiny_labchat.domain.commands.retraction import Retract
from shiny_labchat.domain.decide import streams
from shiny_labchat.domain.decide.shared import Rule, check_storable, new_event
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import is_retracted, settled, was_said
from shiny_labchat.domain.state import RoomState
from shiny_labchat.errors import Refused

__all__ = ["RULES"]


def _retract(state: RoomState, command: Retract, at: int) -> list[Event]:
    """
    Say that a message is retracted; end its stream first, if its server has not ended it.

    The rows of the message are marked in the same transaction; the event "retracted" tells whoever
    has read them. It is of the message's author, and for those who may see the message. No events:
    the message was retracted before, or its stream has grown since the command was made.
    """
    check_storable(command.reason or "")
    message = command.message
    if message is None or message.kind != "message":
        raise Refused("no_message")
    if is_retracted(message):
        return []
    if "live" not in message.data:
        return [_retracted(state, command, message, at)]
    if command.end is not None:
        if not was_said(settled(message, command.end)):
            raise Refused("no_message")
        return [_retracted(state, command, message, at)]
    if command.ending is None or command.upto < command.newest:
        return []
    [end] = streams.RULES[type(command.ending)](state, command.ending, at)
    following = state._replace(seq=end.seq)
    end = end._replace(data={**end.data, "retracted": end.seq + 1})
    return [end, _retracted(following, command, message, at)]


def _retracted(state: RoomState, command: Retract, message: Event, at: int) -> Event:
    data: dict[str, Any] = {"of": message.seq, "reason": command.reason}
    data |= {key: message.data[key] for key in ("audience", "by_network") if key in message.data}
    return new_event(state, at, "retracted", message.member, data)


RULES: dict[type, Rule] = {Retract: _retract}
