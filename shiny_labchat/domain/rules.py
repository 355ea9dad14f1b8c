"""The settings of a room that limit what members may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, cast, get_args

from shiny_labchat.arguments import as_id, check_choice, check_count, check_number

__all__ = [
    "CLOCK_SLACK",
    "LEAST_GONE_AFTER",
    "MUST_START",
    "NamedBot",
    "Rules",
    "bot_given",
    "is_timed",
    "is_watched",
    "replacing_bot",
]

Starts = Literal["all_present", "open", "first_message", "code"]
Ends = Literal["time", "all_done", "any_done"]
OnGone = Literal["continue", "wait", "close"]
BY_BOT = "bot:"
"""The beginning of the value of `Rules.on_gone` with which a bot takes over; its name follows."""

MUST_START: tuple[Starts | None, ...] = ("all_present", "code")
"""Values of `Rules.starts` with which nobody can write before the start."""
CLOCK_SLACK = 10_000_000
"""Largest difference between the clocks of a lab's servers, in microseconds."""
LEAST_GONE_AFTER = 10
"""Shortest time after which somebody may count as gone, in seconds: pages are asked twice in it."""


class NamedBot(Protocol):
    """A bot, as far as rules know it."""

    @property
    def id(self) -> str:
        """Its name."""
        ...


class _BotGiven(str):
    """
    The text "bot:NAME", with the bot that the app has given.

    It is equal to the text, and stored as it; a :class:`Lobby` takes the bot from it.
    """

    __slots__ = ("bot",)
    bot: NamedBot

    def __deepcopy__(self, memo: dict[int, Any]) -> Self | str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Rules:
    """
    Limits on what members may do in a room, and for how long.

    All values can be written as JSON, and lengths of time are in seconds.

    Parameters
    ----------
    max_length
        Longest message, in characters (Unicode code points).
    rate
        Messages per second that one member may send in the long run; None: no limit.
    burst
        Messages that one member may send at once before `rate` counts (the depth of the
        token bucket).
    max_composing
        Bots that may compose a message at the same time; others wait for their turn.
    idle_after
        After so many seconds without a key, a pointer or a message somebody counts as idle.
    away_after
        After so many seconds in which all of their pages were hidden they count as away.
    gone_after
        After so many seconds in which no page of theirs has answered they count as gone; at
        least 10.
    log_presence
        Whether the log has who is here, idle, away or gone even if no `Room.on_presence` function
        of this process asks for it.
    duration
        How long people talk; then the room is closed. None: until it is closed otherwise.
    starts
        When their time starts: once "all_present" are, as soon as the room is "open" for one of
        them, with the "first_message", or with `Room.start` ("code"). Until then nobody can write,
        if it is "all_present" or "code". None: "open"; in a room of a :class:`Lobby` that has a
        duration, "all_present". Who has a page of the study open is present.
    start_within
        So long after the first of them has come the time starts with those who are there, unless
        it is started by "code".
    warn
        So long before the end the log has an event "warned", and screen readers say it.
    ends
        When the room is closed before its time is over: never ("time"), when all people have said
        that they are done ("all_done"), or the first of them ("any_done").
    min_messages
        So many messages people must have sent before they can say that they are done.
    grace
        Who was gone for so long counts for `on_gone`.
    on_gone
        What happens then: the others "continue", their time stands still until all are back
        ("wait"), or the room is closed ("close"); a group of a :class:`Lobby` is then dissolved.
        In a lobby it may also be a :class:`Bot`, or "bot:" and the id of one of the lobby's
        `stand_ins` or `bots`. The bot goes on in the place of who has gone, under their name, and
        their part in the study ends with "replaced". Nobody else is shown that it happens. The
        study needs a consent and a debrief that say so. What is stored is "bot:" and the id.
    """

    max_length: int = 5_000
    rate: float | None = 2.0
    burst: int = 10
    max_composing: int = 1
    idle_after: float = 60
    away_after: float = 120
    gone_after: float = 30
    log_presence: bool = False
    duration: float | None = None
    starts: Starts | None = None
    start_within: float = 30
    warn: tuple[float, ...] = (60, 10)
    ends: Ends = "time"
    min_messages: int = 0
    grace: float = 60
    on_gone: str | NamedBot = "continue"

    def __post_init__(self) -> None:
        check_count("max_length", self.max_length, 1)
        check_number("rate", self.rate, above=0, or_none=True)
        check_count("burst", self.burst, 1)
        check_count("max_composing", self.max_composing, 1)
        check_number("idle_after", self.idle_after, above=0)
        check_number("away_after", self.away_after, above=0)
        check_number("gone_after", self.gone_after, least=LEAST_GONE_AFTER)
        check_choice("log_presence", self.log_presence, (True, False))
        check_number("duration", self.duration, above=0, or_none=True)
        check_choice("starts", self.starts, (None, *get_args(Starts)))
        check_number("start_within", self.start_within, above=0)
        object.__setattr__(self, "warn", _checked_warnings(self.warn))
        check_choice("ends", self.ends, get_args(Ends))
        check_count("min_messages", self.min_messages, 0)
        check_number("grace", self.grace, least=LEAST_GONE_AFTER)
        object.__setattr__(self, "on_gone", _checked_on_gone(self.on_gone))


def is_timed(rules: Rules) -> bool:
    """Whether people's time starts at some moment, or ends."""
    return rules.duration is not None or rules.starts in MUST_START


def is_watched(rules: Rules) -> bool:
    """Whether something may be due in a room that nobody does: a start, a pause, an end."""
    return is_timed(rules) or rules.ends != "time" or rules.on_gone != "continue"


def replacing_bot(rules: Rules) -> str | None:
    """The name of the bot that takes the place of who has gone; None: none does."""
    on_gone = str(rules.on_gone)
    return on_gone.removeprefix(BY_BOT) if on_gone.startswith(BY_BOT) else None


def bot_given(rules: Rules) -> NamedBot | None:
    """The bot itself, if these are the rules that the app has given it in."""
    return rules.on_gone.bot if isinstance(rules.on_gone, _BotGiven) else None


def _checked_on_gone(given: object) -> str:
    """What happens when somebody has gone, as text; a bot is with it."""
    if isinstance(given, str):
        if given.startswith(BY_BOT):
            as_id("on_gone", given.removeprefix(BY_BOT))
        else:
            check_choice("on_gone", given, get_args(OnGone), also="a Bot, or 'bot:' and its id")
        return given
    id = getattr(given, "id", None)
    if not isinstance(id, str) or not hasattr(given, "enter"):
        choices = ", ".join(map(repr, get_args(OnGone)))
        raise TypeError(f"on_gone must be one of {choices}, or a Bot, not {given!r}")
    named = _BotGiven(BY_BOT + id)
    named.bot = cast(NamedBot, given)
    return named


def _checked_warnings(given: object) -> tuple[float, ...]:
    """The times of warnings, which a log has as a list."""
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise TypeError(f"warn must be a list of numbers, such as (60, 10), not {given!r}")
    times = tuple(cast("Sequence[float]", given))
    for time in times:
        check_number("warn", time, above=0)
    return times
