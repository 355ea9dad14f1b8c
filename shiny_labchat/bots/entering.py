"""How a bot comes into a room."""

from __future__ import annotations

import logging
import secrets

from shiny_labchat.bots.spec import BotSpec
from shiny_labchat.domain import commands
from shiny_labchat.domain.decide import decide
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.pseudonyms import resolve_pseudonym
from shiny_labchat.domain.state import RoomState, fold
from shiny_labchat.errors import Refused
from shiny_labchat.lab.room import Room

__all__ = ["enter", "imagined"]

logger = logging.getLogger("shiny_labchat")


async def enter(spec: BotSpec, room: Room) -> Membership | None:
    """Join a room, shown as the bot is to be shown; None: the bot may not be there."""
    join = None if spec.shadow else _join_of(spec, room)
    if join is None:
        return None
    try:
        state = (await room.submit(join)).state
        if spec.disclose and state.memberships[spec.id].shown is not None:
            state = (await room.submit(commands.Disclose(spec.id))).state
    except Refused as exc:
        _note_refusal(spec, room, exc)
        return None
    return state.membership(spec.id)


def imagined(spec: BotSpec, room: Room, state: RoomState) -> Membership | None:
    """
    The membership that a bot would have which says nothing, and so is no member.

    None: it could not be a member.
    """
    join = _join_of(spec, room)
    if join is None:
        return None
    try:
        for event in decide(state, join, 0):
            state = fold(state, event)
    except Refused as exc:
        _note_refusal(spec, room, exc)
        return None
    return state.membership(spec.id)


def _join_of(spec: BotSpec, room: Room) -> commands.Join | None:
    try:
        asked = resolve_pseudonym(spec.pseudonym, spec.id)
    except Exception:
        logger.exception(
            "bot %r is not in room %r: its pseudonym function failed; correct it",
            *(spec.id, room.id),
        )
        return None
    return commands.Join(
        spec.id,
        secrets.token_hex(4),
        "assistant",
        asked,
        by_page=True,
        is_bot=True,
        shown=None if spec.disclose else "participant",
    )


def _note_refusal(spec: BotSpec, room: Room, refusal: Refused) -> None:
    if refusal.code == "taken":
        logger.error(
            "bot %r is not in room %r: a member who is not a bot has this id there; "
            "give the bot another id",
            *(spec.id, room.id),
        )
