"""
When bots speak, how long that takes them, and when it is enough. Values in, values out.

What is random comes from a generator that is given: the same seed, the same behaviour.
"""

from __future__ import annotations

import math
import random
import re
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, cast

from shiny_labchat.arguments import check_count, check_number
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.pseudonyms import Pseudonym

__all__ = [
    "JITTER",
    "NO_REPLY",
    "READING_SPEED",
    "TYPING_SPEED",
    "BotSpec",
    "Budget",
    "Chance",
    "End",
    "Every",
    "MovedOn",
    "Pace",
    "Respond",
    "Silence",
    "Talk",
    "When",
    "as_experienced",
    "as_typed",
    "due",
    "generator",
    "is_mentioned",
    "is_no_reply",
    "limit_of",
    "speaks",
    "talk_of",
]

READING_SPEED = 238.0
"""Words per minute that adults read silently (non-fiction): Brysbaert 2019."""
TYPING_SPEED = 52.0
"""Words of five characters per minute that people type on keyboards: Dhakal et al. 2018."""
JITTER = 0.2
"""Standard deviation of the logarithm of a time; our choice."""
NO_REPLY = "[no reply]"
"""What a model answers that may decide, and would rather say nothing."""

_CHARACTERS_PER_WORD = 5
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
MovedOn = Literal["send", "redraft", "drop"]
End = Literal["silent", "leave", "fallback"]


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


def generator(seed: int | str, *what: object) -> random.Random:
    """A generator for one purpose: the same arguments, the same numbers."""
    return random.Random("\0".join(map(str, (seed, *what))))


@dataclass(frozen=True, slots=True)
class Pace:
    """
    How fast somebody reads and types.

    Parameters
    ----------
    reading
        Words per minute; None: at once.
    typing
        Words of five characters per minute; None: at once.
    jitter
        Standard deviation of the logarithm of a time; its mean is kept.
    """

    reading: float | None = READING_SPEED
    typing: float | None = TYPING_SPEED
    jitter: float = JITTER

    def time_to_read(self, texts: Sequence[str], rng: random.Random) -> float:
        """Seconds."""
        if self.reading is None:
            return 0.0
        return sum(len(text.split()) for text in texts) * 60 / self.reading * self._factor(rng)

    def time_to_type(self, text: str, rng: random.Random) -> float:
        """Seconds."""
        if self.typing is None:
            return 0.0
        return len(text) / _CHARACTERS_PER_WORD * 60 / self.typing * self._factor(rng)

    def _factor(self, rng: random.Random) -> float:
        return math.exp(rng.gauss(-(self.jitter**2) / 2, self.jitter))


def due(begun: float, answered: float, reading: float, typing: float) -> float:
    """
    When a message is sent, in the clock's seconds.

    It takes as long as reading and typing, or as the model, whichever is longer: who waits for a
    model reads and types meanwhile.
    """
    return max(answered, begun + reading + typing)


def as_typed(text: str, longest: int | None, name: str) -> str:
    """What a model said as somebody could have typed it, who is called `name`."""
    text = re.sub(rf"\A\s*\**{re.escape(name)}\**\s*:\**\s*", "", text)
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return text.strip()[:longest].rstrip()


# ── when it is enough ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Budget:
    """
    What models' calls may use in one study; None: without a limit.

    Neither the fallbacks' calls are counted, nor `respond` functions, which call no model.

    Parameters
    ----------
    calls
        Calls of a model: each request that is made, also one that fails, one that is made again,
        and each further one of a reply that uses tools. Never exceeded, in however many rooms.
    tokens
        Tokens in and out together, cached ones also. When so many were used no call begins, but
        those under way are finished: as many at most as there are rooms in which bots that count
        are at work at that moment, in each room one for each bot. By what these use it can be
        exceeded; with `calls` beside it there is a bound on that, too.
    money
        US dollars, likewise. If the price of a model is not known, its first call that ends well
        is the last.
    price
        US dollars per million tokens, in and out, cached ones like all others; None: as chatlas
        knows it.

    Notes
    -----
    A reply in the middle of which a budget is spent is not finished: a tool that the model wanted
    is called, but the model is not told what came of it.

    What a call has used is known when it has ended well. One that failed or was broken off counts
    as a call only, and so do those of a model that does not say what it uses.
    """

    calls: int | None = None
    tokens: int | None = None
    money: float | None = None
    price: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        check_count("calls", self.calls, 0, or_none=True)
        check_count("tokens", self.tokens, 0, or_none=True)
        check_number("money", self.money, least=0, or_none=True)
        price = cast(object, self.price)
        if price is None:
            return
        two = cast("Sequence[object]", price) if isinstance(price, Sequence) else ()
        if len(two) != 2:
            raise TypeError(f"price must be two numbers, (in, out), or None, not {price!r}")
        for each in two:
            check_number("price", each, least=0)

    def is_spent(self, calls: int, used: tuple[int, int], cost: float, unpriced: int) -> bool:
        """
        Whether nothing is left.

        Parameters
        ----------
        calls
            Their number.
        used
            Tokens in, cached ones also, and out.
        cost
            US dollars, as far as prices are known.
        unpriced
            Calls whose price is not known; with a limit of money and no price, one is too many.
        """
        if self.calls is not None and calls >= self.calls:
            return True
        if self.tokens is not None and sum(used) >= self.tokens:
            return True
        if self.money is None:
            return False
        if self.price is not None:
            return sum(n * p for n, p in zip(used, self.price, strict=True)) / 1e6 >= self.money
        return unpriced > 0 or cost >= self.money


@dataclass(frozen=True, slots=True, eq=False)
class BotSpec:
    """All that is said of a bot; see :class:`Bot`."""

    id: str
    client: Callable[[], Any] | None
    respond: Respond | None
    pseudonym: Pseudonym
    disclose: bool
    when: When
    pace: Pace
    seed: int | None
    moved_on: MovedOn
    max_messages: int | None
    max_share: float | None
    max_in_a_row: int | None
    budget: Budget
    study_budget: Budget
    end: End
    closing: str | None
    fallback: Callable[[], Any] | None


def limit_of(spec: BotSpec, talk: Talk) -> str | None:
    """Which limit keeps a bot from one more message; None: none does."""
    if spec.max_messages is not None and talk.own >= spec.max_messages:
        return "max_messages"
    if spec.max_in_a_row is not None and talk.in_a_row >= spec.max_in_a_row:
        return "max_in_a_row"
    if spec.max_share is not None and talk.own + 1 > spec.max_share * (talk.all + 1):
        return "max_share"
    return None
