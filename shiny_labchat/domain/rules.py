"""The settings of a room that limit what members may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, Self, cast, get_args

from shiny_labchat.arguments import as_id, check_choice, check_count, check_number
from shiny_labchat.domain.hours import Hours, as_hours, as_moment, is_within, moment, next_edge

__all__ = [
    "CLOCK_SLACK",
    "LEAST_GONE_AFTER",
    "MUST_START",
    "OF_MEMBER",
    "NamedBot",
    "Paste",
    "Rules",
    "Telemetry",
    "are_counted",
    "are_limits",
    "bot_given",
    "closing",
    "is_timed",
    "is_watched",
    "next_opening",
    "opening",
    "replacing_bot",
    "shut",
]

Starts = Literal["all_present", "open", "first_message", "code"]
Ends = Literal["time", "all_done", "any_done"]
OnGone = Literal["continue", "wait", "close"]
BY_BOT = "bot:"
"""The beginning of the value of `Rules.on_gone` with which a bot takes over; its name follows."""
Turns = Literal["round_robin", "code"]
History = Literal["all", "joined"]
Telemetry = Literal["off", "counts", "rhythm"]
Paste = Literal["allow", "mark", "refuse"]

MUST_START: tuple[Starts | None, ...] = ("all_present", "code")
"""Values of `Rules.starts` with which nobody can write before the start."""
CLOCK_SLACK = 10_000_000
"""Largest difference between the clocks of a lab's servers, in microseconds."""
OF_MEMBER = (
    *("max_length", "rate", "burst", "cooldown", "paste"),
    *("min_messages", "max_messages", "min_characters", "max_characters", "min_seconds"),
)
"""The rules that may be others for one member."""
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
    min_messages, min_characters
        So many messages people must have sent, of so many characters together, before they can say
        that they are done.
    min_seconds
        So long after the start they can say so at the earliest.
    max_messages, max_characters
        The most messages, and the most characters of all of them together, that one participant may
        send; None: no limit. Who has sent the most need not reach the least.
    cooldown
        So long after a message of theirs participants may send the next one; None: at once.
    opens_at, closes_at
        From when on people can write, and when the room is closed, whatever time is left: an aware
        `datetime`, or a text such as ``"2026-11-30T18:00:00+01:00"``. The text is kept.
    hours
        The hours of each day at which people can write: ``("08:00", "22:00", "Europe/Berlin")``.
        They may go over midnight. A `duration` goes on meanwhile.
    turns
        Whether participants may write only when it is their turn. "round_robin": one message each,
        in the order in which they joined; "code": whom :meth:`Room.pass_turn` says. None: all may.
        Bots that are shown as participants have their turns, too.
    turn_seconds
        So long a turn lasts at most ("round_robin"), then it is the next one's.
    history
        What those who join later may read: "all", or what was said since they "joined".
    typing, presence
        Whether participants are shown who is typing, and who is here. Without `typing` nobody is.
    grace
        Who was gone for so long counts for `on_gone`.
    on_gone
        What happens then: the others "continue", their time stands still until all are back, but
        for an hour in all at most ("wait"), or the room is closed ("close"); a group of a
        :class:`Lobby` is then dissolved.
        In a lobby it may also be a :class:`Bot`, or "bot:" and the id of one of the lobby's
        `stand_ins` or `bots`. The bot goes on in the place of who has gone, under their name, and
        their part in the study ends with "replaced". Nobody else is shown that it happens. The
        study needs a consent and a debrief that say so. What is stored is "bot:" and the id.
    telemetry
        What the log has of how people write their messages: nothing ("off"); with each message
        "counts", such as of keys, deletions and pauses; also the "rhythm", which is the times
        between keys. Which keys they press, and what they delete, it never has. It is shown to
        nobody. The consent of a study says it if a lobby has such rules; elsewhere you have to.
    paste
        Whether people may paste and drop text into the box: "allow"; "mark": the log has how many
        characters of each message were pasted, and the consent says that, too; "refuse": they
        have to type.
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
    max_messages: int | None = None
    min_characters: int = 0
    max_characters: int | None = None
    min_seconds: float = 0
    cooldown: float | None = None
    opens_at: str | datetime | None = None
    closes_at: str | datetime | None = None
    hours: Hours | None = None
    turns: Turns | None = None
    turn_seconds: float = 60
    history: History = "all"
    typing: bool = True
    presence: bool = True
    telemetry: Telemetry = "off"
    paste: Paste = "allow"

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
        self._check_amounts()
        for name in ("opens_at", "closes_at"):
            object.__setattr__(self, name, as_moment(name, getattr(self, name)))
        object.__setattr__(self, "hours", as_hours("hours", self.hours))
        check_choice("turns", self.turns, (None, *get_args(Turns)))
        check_number("turn_seconds", self.turn_seconds, least=1)
        check_choice("history", self.history, get_args(History))
        check_choice("typing", self.typing, (True, False))
        check_choice("presence", self.presence, (True, False))
        check_choice("telemetry", self.telemetry, get_args(Telemetry))
        check_choice("paste", self.paste, get_args(Paste))

    def _check_amounts(self) -> None:
        check_count("max_messages", self.max_messages, 1, or_none=True)
        check_count("min_characters", self.min_characters, 0)
        check_count("max_characters", self.max_characters, 1, or_none=True)
        check_number("min_seconds", self.min_seconds, least=0, most=_LONGEST)
        check_number("cooldown", self.cooldown, above=0, most=_LONGEST, or_none=True)


_LONGEST = 1e9
"""Longest time of a rule that must be a number of microseconds, in seconds: about 30 years."""


def opening(rules: Rules) -> int:
    """From when on people can write, in microseconds; 0: there is no such moment."""
    return 0 if rules.opens_at is None else moment(str(rules.opens_at))


def closing(rules: Rules) -> int | None:
    """When the room is closed at the latest, in microseconds; None: there is no such moment."""
    return None if rules.closes_at is None else moment(str(rules.closes_at))


def shut(rules: Rules, at: int) -> str | None:
    """The code of why nobody can write at a time by the clock on the wall; None: they can."""
    if rules.opens_at is not None and at < opening(rules):
        return "not_yet"
    if rules.hours is not None and not is_within(rules.hours, at):
        return "out_of_hours"
    return None


def next_opening(rules: Rules, at: int) -> int | None:
    """When `shut` gives something else next after a time, in microseconds; None: never."""
    opens = opening(rules)
    if at < opens:
        return opens
    return None if rules.hours is None else next_edge(rules.hours, at)


def is_timed(rules: Rules) -> bool:
    """Whether people's time starts at some moment, or ends."""
    return (
        rules.duration is not None
        or rules.starts in MUST_START
        or rules.closes_at is not None
        or rules.turns == "round_robin"
        or rules.min_seconds > 0
    )


def is_watched(rules: Rules) -> bool:
    """Whether something may be due in a room that nobody does: a start, a pause, an end."""
    return (
        is_timed(rules)
        or rules.ends != "time"
        or rules.on_gone != "continue"
        or rules.opens_at is not None
        or rules.hours is not None
    )


def are_counted(rules: Rules) -> bool:
    """Whether it matters how many messages somebody has sent, or when the last one."""
    return bool(rules.min_messages or rules.max_messages or rules.cooldown) or (
        rules.min_characters > 0 or rules.max_characters is not None
    )


def are_limits(rules: Rules) -> bool:
    """Whether a message may be refused by the time, by earlier messages, or by whose turn it is."""
    return (
        rules.duration is not None
        or rules.closes_at is not None
        or rules.opens_at is not None
        or rules.hours is not None
        or rules.max_messages is not None
        or rules.max_characters is not None
        or rules.cooldown is not None
        or rules.turns is not None
    )


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
