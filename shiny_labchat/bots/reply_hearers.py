"""Who hears a bot's reply where not everybody hears everybody. Pure."""

from __future__ import annotations

from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.state import RoomState

__all__ = ["hearers_of_reply", "is_heard_by_anybody"]


def hearers_of_reply(state: RoomState, bot: str, message: Message | None) -> list[str] | None:
    """
    The ids of those who take part and are to hear a bot's reply, the bot among them.

    They are those who hear the bot, and have heard the message to which it replies. So its model
    can be told that message, and all else that each of them has heard: nobody learns from a reply
    what was not said to them.

    Parameters
    ----------
    state
        The room, in which the bot is a member.
    bot, message
        The bot's id, and the message; None: it writes by itself, to all who hear it.

    Returns
    -------
    list of str
        None: everybody hears the reply, and has heard the message.
    """
    hearing = state.hearing
    hearers = hearing.hearers(bot)
    if message is None or (hearers is None and not message.by_network):
        return hearers
    among = hearing.taking_part() if hearers is None else hearers
    return [
        each
        for each in among
        if message.audience is None or any(map(message.is_for, hearing.same_place(each)))
    ]


def is_heard_by_anybody(state: RoomState, bot: str, hearers: list[str] | None) -> bool:
    """Whether anybody but the bot itself hears its reply."""
    if hearers is None or any(each != bot for each in hearers):
        return True
    return any(each.hears_all for each in state.members())
