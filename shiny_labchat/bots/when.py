"""
When a bot replies: pure functions of a conversation.

Random numbers come from a generator that the caller passes: same seed, same behaviour.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from shiny_labchat.arguments import check_count, check_function, check_number
from shiny_labchat.bots.talk import Talk
from shiny_labchat.domain.mentions import is_mentioned
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.triggers import Moment, in_digits
from shiny_labchat.domain.visible import has_visible

__all__ = [
    "NO_REPLY",
    "At",
    "BeforeClose",
    "Chance",
    "Condition",
    "Every",
    "Respond",
    "Silence",
    "Unequal",
    "When",
    "as_conditions",
    "is_no_reply",
    "later_conditions",
    "met_at_once",
    "moments_of",
    "name_of",
    "takes_talk",
]

NO_REPLY = "[no reply]"
"""What a model answers to decline, where it may decide itself whether to reply."""

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


@dataclass(frozen=True, slots=True, init=False, repr=False)
class At:
    """
    Write at set times, counted from when the time of a room's people has started.

    In a room whose rules have no time that starts, from when people could use the room.

    Parameters
    ----------
    *seconds
        The times: one message at each.
    """

    seconds: tuple[float, ...]

    def __init__(self, *seconds: float) -> None:
        object.__setattr__(self, "seconds", _checked_times("At", seconds))

    def __repr__(self) -> str:
        return f"At({', '.join(map(in_digits, self.seconds))})"


@dataclass(frozen=True, slots=True, init=False, repr=False)
class BeforeClose:
    """
    Write before the time of a room's people is over.

    If that end is moved before then, so is this. In a room without an end it never does.

    Parameters
    ----------
    *seconds
        How long before: one message at each.
    """

    seconds: tuple[float, ...]

    def __init__(self, *seconds: float) -> None:
        object.__setattr__(self, "seconds", _checked_times("BeforeClose", seconds))

    def __repr__(self) -> str:
        return f"BeforeClose({', '.join(map(in_digits, self.seconds))})"


def _checked_times(what: str, seconds: Sequence[float]) -> tuple[float, ...]:
    if not seconds:
        raise ValueError(f"{what} needs a time, in seconds, such as {what}(60)")
    for each in seconds:
        check_number("seconds", each, least=0)
    return tuple(sorted(set(seconds)))


@dataclass(frozen=True, slots=True)
class Unequal:
    """
    Reply when one member has lately written more than their share.

    Judged at each message, once the talk has lasted for `window` seconds. Who counts are the
    members who are shown as participants, but for the bot itself.

    Parameters
    ----------
    share
        The share of all characters above which it is unequal, from 0 to 1.
    window
        How far back messages count, in seconds.
    wait
        How long the bot waits after its own last message, in seconds.
    """

    share: float = 0.5
    window: float = 120
    wait: float = 60

    def __post_init__(self) -> None:
        check_number("share", self.share, least=0, most=1)
        check_number("window", self.window, above=0)
        check_number("wait", self.wait, least=0)

    def is_met(self, talk: Talk, bot: str, wrote: float | None) -> bool:
        """
        Whether talk is unequal now; for this package.

        Parameters
        ----------
        talk
            The conversation; its last message is judged.
        bot
            The bot's member id.
        wrote
            When it has written last, in seconds since 1970; None: never.
        """
        now = talk.messages[-1].at.timestamp()
        if wrote is not None and now - wrote < self.wait:
            return False
        others = talk.without(bot)
        if not others.messages or now - others.messages[0].at.timestamp() < self.window:
            return False
        shares = others.since(now - self.window).shares
        return max(shares.values(), default=0.0) > self.share


Decides = (
    Callable[[Message], bool | Awaitable[bool]] | Callable[[Message, Talk], bool | Awaitable[bool]]
)
"""An app's function that decides whether a bot replies to a message; async or not."""
Condition = (
    Literal["message", "mention", "model"]
    | Every
    | Silence
    | Chance
    | At
    | BeforeClose
    | Unequal
    | Decides
)
"""To which messages of others a bot replies, or when it writes, see :class:`Bot`."""
When = Condition | Sequence[Condition]
"""One of these, or several: it writes when one of them holds."""
Respond = Callable[[Sequence[Message]], str | None | Awaitable[str | None]]
"""The reply of a scripted bot to a conversation; None: no reply."""


def as_conditions(when: Any) -> tuple[Condition, ...]:
    """
    Check the argument `when` of a bot; return its conditions.

    Raises
    ------
    ValueError, TypeError
        It is none, or has something that is none.
    """
    several: tuple[Any, ...] = (when,)
    if isinstance(when, Sequence) and not isinstance(when, str):
        several = tuple(cast("Sequence[Any]", when))
    if not several:
        raise ValueError('when must have a condition, such as "message"; the list is empty')
    for each in several:
        _check_condition(each)
    if "model" in several and any(isinstance(each, Silence) for each in several):
        raise ValueError(
            'when has both "model" and Silence: the model is asked at each message, so nobody '
            "waits for silence; leave one of them out"
        )
    return several


def _check_condition(each: Any) -> None:
    kinds = Every | Silence | Chance | At | BeforeClose | Unequal
    if isinstance(each, kinds) or each in ("message", "mention", "model"):
        return
    if isinstance(each, type) or not callable(each):
        raise ValueError(
            'when must be "message", "mention", "model", Every(n), Silence(seconds), Chance(p), '
            "At(seconds), BeforeClose(seconds), Unequal(share), a function of the message, or a "
            f"list of these, not {each!r}"
        )
    check_function("when", each, *(("message", "talk") if takes_talk(each) else ("message",)))


def takes_talk(function: Any) -> bool:
    """Whether a function takes the conversation, too, and not the message only."""
    return not _takes(function, 1) and _takes(function, 2)


def _takes(function: Any, number: int) -> bool:
    try:
        inspect.signature(function).bind(*range(number))
    except TypeError:
        return False
    except ValueError:  # some built-in functions have no signature
        return number == 1
    return True


# ── whether a condition is met ───────────────────────────────────────────────────────────────


def met_at_once(
    when: Sequence[Condition], message: Message, since_own: int, name: str, rng: random.Random
) -> Condition | None:
    """
    The first condition that a message meets; None: none, as far as that can be decided at once.

    "model" comes last: if another one is met, the model is not asked whether it wants to reply.

    Parameters
    ----------
    when, message
        When the bot replies, and the message.
    since_own
        Messages of others since the bot's last one, up to this one.
    name, rng
        Its pseudonym, and its random numbers for this message.
    """

    def is_met(each: Any) -> bool:
        match each:
            case "message":
                return True
            case "mention":
                return is_mentioned(message.content, name)
            case Every(n):
                return since_own > 0 and since_own % n == 0
            case Chance(p):
                return rng.random() < p
            case _:
                return False

    return next(filter(is_met, when), None)


def later_conditions(when: Sequence[Condition]) -> Sequence[Condition]:
    """
    The conditions that cannot be decided at once, in the order in which they are asked.

    The app's functions and shares first, then the model, and then whether nobody writes.
    """

    def rank(condition: Condition) -> int:
        return 1 if condition == "model" else 2 * isinstance(condition, Silence)

    later: list[Condition] = [each for each in when if _is_later(each)]
    return sorted(later, key=rank)


def _is_later(condition: Condition) -> bool:
    return condition == "model" or isinstance(condition, Silence | Unequal) or callable(condition)


def moments_of(when: Sequence[Condition]) -> tuple[Moment, ...]:
    """The moments at which a bot writes by itself."""
    found: list[Moment] = []
    for each in when:
        if isinstance(each, At):
            found += [Moment(after=seconds) for seconds in each.seconds]
        elif isinstance(each, BeforeClose):
            found += [Moment(before_close=seconds) for seconds in each.seconds]
    return tuple(dict.fromkeys(found))


def name_of(condition: Condition) -> str:
    """What a condition that is met is called on record."""
    match condition:
        case str():
            return condition
        case Every(n):
            return f"every {n}"
        case Silence(seconds):
            return f"silence {in_digits(seconds)}"
        case Chance(p):
            return f"chance {in_digits(p)}"
        case Unequal():
            return "unequal"
        case _:
            return getattr(condition, "__qualname__", type(condition).__qualname__)


def is_no_reply(text: str) -> bool:
    """Whether a model's answer declines to reply."""
    return not has_visible(text) or NO_REPLY in text.lower()
