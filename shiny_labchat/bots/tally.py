"""What a bot counts of a conversation, and what of it is new to the bot. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from shiny_labchat.domain.messages import Message

__all__ = ["Tally", "as_experienced", "tally_of"]

_NONE: Mapping[int, int] = MappingProxyType({})


class Tally(NamedTuple):
    """
    The numbers of messages that a bot's limits depend on.

    Parameters
    ----------
    own, all
        Messages of the bot, and of all members.
    in_a_row
        Messages of bots since a person's last message.
    """

    own: int = 0
    all: int = 0
    in_a_row: int = 0


def tally_of(messages: Sequence[Message], bot: str, bots: frozenset[str]) -> Tally:
    """
    Count the messages of a conversation.

    Parameters
    ----------
    messages
        The whole conversation.
    bot, bots
        The member ids of the bot, and of all bots.
    """
    said = [message.member for message in messages if message.member is not None]
    row = 0
    while row < len(said) and said[-1 - row] in bots:
        row += 1
    return Tally(said.count(bot), len(said), row)


def as_experienced(
    messages: Sequence[Message], bot: str, unread: int, ends: Mapping[int, int] = _NONE
) -> tuple[list[Message], list[Message]]:
    """
    Split a conversation into what a bot has read and what it has not read yet.

    Not read yet are messages of others that were complete at seq `unread` or later. `ends` has,
    for streamed messages, by their seq, the seq at which each was complete; all others are
    complete at once. The bot's own messages count as read: it wrote them before it reads the new
    ones.
    """

    def is_known(message: Message) -> bool:
        return message.member == bot or ends.get(message.seq, message.seq) < unread

    known = [message for message in messages if is_known(message)]
    return known, [message for message in messages if not is_known(message)]
