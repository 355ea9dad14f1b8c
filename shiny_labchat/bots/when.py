"""
When a bot speaks. Values in, values out.

What is random comes from a generator that is given: the same seed, the same behaviour.
"""

from __future__ import annotations

import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from shiny_labchat.arguments import check_count, check_number
from shiny_labchat.domain.messages import Message

__all__ = [
    "NO_REPLY",
    "Chance",
    "Every",
    "Respond",
    "Silence",
    "Talk",
    "When",
    "as_experienced",
    "is_mentioned",
    "is_no_reply",
    "speaks",
    "talk_of",
]

NO_REPLY = "[no reply]"
"""What a model answers that may decide, and would rather say nothing."""

_NONE: Mapping[int, int] = MappingProxyType({})


# ── when ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Every:
    """
    Speak at every `n`-th message of others since the bot's last.

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
    Speak when nobody has said anything since somebody else's message.

    Parameters
    ----------
    seconds
        For how long; positive. After the bot itself has spoken it waits for others first.
    """

    seconds: float

    def __post_init__(self) -> None:
        check_number("seconds", self.seconds, above=0)


@dataclass(frozen=True, slots=True)
class Chance:
    """
    Speak at each message of others with a probability.

    Parameters
    ----------
    p
        From 0 to 1.
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
"""Which messages of others make a bot speak; see :class:`Bot`."""
Respond = Callable[[Sequence[Message]], str | None | Awaitable[str | None]]
"""What a scripted bot says to a conversation; None: nothing."""


class Talk(NamedTuple):
    """
    A conversation in numbers, as a bot counts.

    Parameters
    ----------
    own, all
        Messages of the bot, and of all members.
    in_a_row
        Messages of bots since a person's last.
    since_own
        Messages of others since the bot's last, up to the one that it reacts to.
    """

    own: int = 0
    all: int = 0
    in_a_row: int = 0
    since_own: int = 0


def talk_of(
    messages: Sequence[Message],
    bot: str,
    bots: frozenset[str],
    upto: int,
    ends: Mapping[int, int] = _NONE,
) -> Talk:
    """
    A conversation in numbers.

    Parameters
    ----------
    messages
        All of it.
    bot, bots
        The bot, and all bots.
    upto
        The seq from which on the message was whole that it reacts to.
    ends
        The same, by seq, of messages that came piece by piece; others are whole at once.
    """
    said = [message for message in messages if message.member is not None]
    own = [message.seq for message in said if message.member == bot]
    since = own[-1] if own else 0
    row = 0
    while row < len(said) and said[-1 - row].member in bots:
        row += 1
    whole = [ends.get(m.seq, m.seq) for m in said if m.member != bot]
    others = sum(since < seq <= upto for seq in whole)
    return Talk(len(own), len(said), row, others)


def as_experienced(
    messages: Sequence[Message], bot: str, unread: int, ends: Mapping[int, int] = _NONE
) -> tuple[list[Message], list[Message]]:
    """
    A conversation as a bot came to know it: what it knows, and what it has not read yet.

    That is what others have said from seq `unread` on, in messages that were whole then; `ends`
    as in `talk_of`. What it has said itself meanwhile it wrote before it reads that.
    """

    def is_known(message: Message) -> bool:
        return message.member == bot or ends.get(message.seq, message.seq) < unread

    known = [message for message in messages if is_known(message)]
    return known, [message for message in messages if not is_known(message)]


def speaks(when: When, message: Message, talk: Talk, name: str, rng: random.Random) -> bool:
    """Whether a message makes a bot speak, as far as that can be said at once."""
    match when:
        case "mention":
            return is_mentioned(message.content, name)
        case Every(n):
            return talk.since_own > 0 and talk.since_own % n == 0
        case Chance(p):
            return rng.random() < p
        case _:
            return True


def is_mentioned(text: str, name: str) -> bool:
    """Whether somebody is called by their pseudonym, with or without "@"."""
    return re.search(rf"(?<!\w)@?{re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None


def is_no_reply(text: str) -> bool:
    """Whether a model declines to say anything."""
    return not text.strip() or NO_REPLY in text.lower()


# ── how long it takes ────────────────────────────────────────────────────────────────────────


# ── when it is enough ────────────────────────────────────────────────────────────────────────
