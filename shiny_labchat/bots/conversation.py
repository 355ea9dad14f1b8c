"""What was said in a room, as far as a bot has heard it."""

from __future__ import annotations

from collections.abc import Sequence

from shiny_labchat.domain.messages import Message
from shiny_labchat.live.room import LiveRoom

__all__ = ["heard_by", "heard_by_all"]


def heard_by(live: LiveRoom, bot: str, after: int = 0) -> tuple[Message, ...]:
    """
    What was said to everybody, or to a bot through the room's network.

    Parameters
    ----------
    live
        The room, of which all messages were read.
    bot
        The bot's member id.
    after
        The seq after which.
    """
    whole, hearing = live.whole, live.state.hearing
    if not whole.is_networked:
        return whole.public(after)
    own = hearing.same_place(bot) if bot in hearing.memberships else (bot,)
    return whole.common(after, [own])


def heard_by_all(live: LiveRoom, hearers: Sequence[str] | None) -> tuple[Message, ...]:
    """
    What a bot's model may be told: what each of those has heard who hear the reply.

    Parameters
    ----------
    live
        The room, of which all messages were read.
    hearers
        The ids of those who hear the reply; None: everybody.
    """
    state = live.state
    after = state.told_after(hearers)
    readers = [state.hearing.same_place(each) for each in hearers or ()]
    return live.whole.common(after, readers) if readers else live.whole.public(after)
