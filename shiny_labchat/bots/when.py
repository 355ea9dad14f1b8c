"""
When a bot replies: pure functions of a conversation.

Random numbers come from a generator that the caller passes: same seed, same behaviour.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from shiny_labchat.arguments import check_count, check_number
from shiny_labchat.domain.mentions import is_mentioned
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.visible import has_visible

__all__ = [
    "NO_REPLY",
    "Chance",
    "Every",
    "Respond",
    "Silence",
    "Talk",
    "When",
    "as_experienced",
    "is_no_reply",
    "speaks",
    "talk_of",
]

NO_REPLY = "[no reply]"
"""What a model answers to decline, where it may decide itself whether to reply."""

_NONE: Mapping[int, int] = MappingProxyType({})


# ── when ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Every:
    """
    Reply to every `n`-th message of others since the bot's last one.

    Parameters
    ----------
    n
        Messages; at least 1.
    """

    n: int

    def __post_init__(self) -> None:
        check_count("n", self.n, 1)


@dataclass(frozen=True, slots=True)
class Silence:
    """
    Reply when nobody has written for some time after another member's message.

    Parameters
    ----------
    seconds
        How long; positive. After its own message the bot first waits for one of others.
    """

    seconds: float

    def __post_init__(self) -> None:
        check_number("seconds", self.seconds, above=0)


@dataclass(frozen=True, slots=True)
class Chance:
    """
    Reply to each message of others with a probability.

    Parameters
    ----------
    p
        The probability, from 0 to 1.
    """

    p: float

    def __post_init__(self) -> None:
        check_number("p", self.p, least=0, most=1)


When = (
    Literal["message", "mention", "model"]
    | Every
    | Silence
    | Chance
    | Callable[[Message], bool | Awaitable[bool]]
)
"""To which messages of others a bot replies, see :class:`Bot`."""
Respond = Callable[[Sequence[Message]], str | None | Awaitable[str | None]]
"""The reply of a scripted bot to a conversation; None: no reply."""


class Talk(NamedTuple):
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


def talk_of(messages: Sequence[Message], bot: str, bots: frozenset[str]) -> Talk:
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
    return Talk(said.count(bot), len(said), row)


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


def speaks(when: When, message: Message, since_own: int, name: str, rng: random.Random) -> bool:
    """
    Whether a bot replies to a message, as far as that can be decided at once.

    Parameters
    ----------
    when, message
        When it replies, and the message.
    since_own
        Messages of others since the bot's last one, up to this one.
    name, rng
        Its pseudonym, and its random numbers for this message.
    """
    match when:
        case "mention":
            return is_mentioned(message.content, name)
        case Every(n):
            return since_own > 0 and since_own % n == 0
        case Chance(p):
            return rng.random() < p
        case _:
            return True


def is_no_reply(text: str) -> bool:
    """Whether a model's answer declines to reply."""
    return not has_visible(text) or NO_REPLY in text.lower()
