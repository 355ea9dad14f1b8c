"""A bot, as it is added to a lab or a room."""

from __future__ import annotations

import threading
from numbers import Integral
from typing import TYPE_CHECKING, Any, cast

from shiny_labchat.arguments import as_id, check_client, check_count, check_function, check_number
from shiny_labchat.bots import reaction
from shiny_labchat.bots.budget import Budget
from shiny_labchat.bots.pace import JITTER, READING_SPEED, TYPING_SPEED, Pace
from shiny_labchat.bots.spec import BotSpec, MovedOn, WhenSpent
from shiny_labchat.bots.when import Chance, Every, Respond, Silence, When
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.pseudonyms import Pseudonym
from shiny_labchat.lab.room import Room

if TYPE_CHECKING:
    from collections.abc import Callable

    import chatlas

    Client = chatlas.Chat[Any, Any] | Callable[[], chatlas.Chat[Any, Any]]

__all__ = ["Bot"]


class Bot:
    """
    A program that is a member of rooms, run by the server.

    Add it with :meth:`Room.add_bot` or :meth:`Lab.add_bot`.

    Parameters
    ----------
    id
        Its member id; never shown to participants. In a room where a person has it the bot is
        not, which the server's log says.
    client
        The language model that it speaks with: a chatlas Chat with its system prompt and tools,
        or a function that makes one, called when it is first needed. The model is told what
        everybody could read, with names; its own turns are not used.
    respond
        Instead of a model: a function that takes the conversation (a tuple of :class:`Message`,
        the last of them somebody else's) and gives what to say, or None to say nothing. One that
        is not async runs in a thread.
    pseudonym
        As in :meth:`Room.add_member`. A template such as "Player {n}" gives numbers in order of
        joining, and bots are there first.
    disclose
        Whether it is shown as an assistant. If not, it is a participant in all that reaches a
        browser, until :meth:`Room.disclose`, and what binds participants binds it: where and
        when they may write, how much and how fast (:class:`Rules`).
    when
        Which messages of other members make it speak: "message" (each), "mention" (those with
        its pseudonym), ``Every(n)``, ``Silence(seconds)``, ``Chance(p)``, a function of the
        :class:`Message` (async or not), or "model": it is asked each time, and may decline with
        "[no reply]". Private messages are not heard.
    moved_on
        What becomes of a message if others have said something while it was composed: "send",
        "redraft" (it is written anew, twice at most), or "drop" (it reacts to what came instead).
    reading
        How fast it reads what it reacts to, in words per minute; None: at once. The default, 238,
        is what adults read silently of non-fiction in English: Brysbaert (2019), a meta-analysis
        of 190 studies, https://doi.org/10.1016/j.jml.2019.104047.
    typing
        How fast it types, in words of five characters per minute; None: at once. The default, 52,
        is the average of 168,000 people: Dhakal et al. (2018),
        https://doi.org/10.1145/3173574.3174220. While it types it is seen typing.
    jitter
        How much both vary from message to message: the standard deviation of the logarithm of the
        time (0.2: two of three messages within about 20 %). The mean stays. Our choice.
    seed
        What is random (jitter, chance) is drawn from this, the room, and the message: the same
        seed, the same behaviour. Models that take a seed are sent one made of it. None: drawn
        from the room's own random seed, and none is sent.
    max_messages
        Messages it writes in a room, at most, cleared ones included; None: any number.
    max_share
        Its share of all members' messages in a room, from 0 to 1, at most; None: any.
    max_in_a_row
        Messages of bots without a person's between, after which it says nothing more, so that
        bots do not talk to each other for ever; None: any number. What other bots compose that
        began before it is waited for where it would be one too many.
    budget, study_budget
        What it may spend in a study; what all bots together may spend in a study, as far as this
        one is concerned. See :class:`Budget` for what is counted, and how exactly.
    end
        What it does when it has written `max_messages` or a budget is spent: "silent" (it stays,
        and says nothing), "leave" (it is a member no more), or "fallback" (budgets only: from
        then on it speaks with `fallback`).
    closing
        What it says once before it falls silent or leaves; None: nothing.
    fallback
        A client like `client`, for when that fails, and for ``end="fallback"``.

    Raises
    ------
    ValueError, TypeError
        An argument is not one.

    Notes
    -----
    A message is sent max(latency, reading + typing) after the bot has begun to read: who waits
    for a model reads and types meanwhile. How many bots compose at the same time in a room is
    up to ``Rules(max_composing=)``; the others wait, and come in the order in which they came.

    What other members say counts as talk, not what programmes say (announcements, say), which it
    reads but does not react to. What comes piece by piece counts when it is whole. What was
    cleared from the room's screen before it was answered is not answered.

    A page's ``transform_user_input`` changes what people say there, not what bots say.

    A model that fails is asked again after 1, 3 and 8 seconds and a bit, then the fallback is
    asked, as it is at once if no client could be made; if nobody answers the bot says nothing,
    which only the server's log and the audit know. Nobody is asked where the bot may not write.

    Examples
    --------
    >>> from shiny_labchat import Bot, Lab
    >>> room = Lab().room("group-1")
    >>> room.add_bot(Bot("echo", respond=lambda messages: messages[-1].content.upper()))
    """

    def __init__(
        self,
        id: str,
        *,
        client: Client | None = None,
        respond: Respond | None = None,
        pseudonym: Pseudonym = None,
        disclose: bool = False,
        when: When = "message",
        moved_on: MovedOn = "send",
        reading: float | None = READING_SPEED,
        typing: float | None = TYPING_SPEED,
        jitter: float = JITTER,
        seed: int | None = None,
        max_messages: int | None = None,
        max_share: float | None = None,
        max_in_a_row: int | None = 10,
        budget: Budget | None = None,
        study_budget: Budget | None = None,
        end: WhenSpent = "silent",
        closing: str | None = None,
        fallback: Client | None = None,
    ) -> None:
        if (client is None) == (respond is None):
            raise ValueError("a bot needs either client or respond")
        _check_functions(client, respond, fallback)
        _check_when(when)
        if not isinstance(cast(object, disclose), bool):
            raise TypeError(f"disclose must be True or False, not {disclose!r}")
        _check("moved_on", moved_on, ("send", "redraft", "drop"))
        _check_end(end, fallback)
        check_number("reading", reading, above=0, or_none=True)
        check_number("typing", typing, above=0, or_none=True)
        check_number("jitter", jitter, least=0, most=2)
        check_number("max_share", max_share, above=0, most=1, or_none=True)
        check_count("max_messages", max_messages, 0, or_none=True)
        check_count("max_in_a_row", max_in_a_row, 1, or_none=True)
        _check_kind("seed", seed, Integral, "a whole number")
        _check_kind("budget", budget, Budget, "a Budget, such as Budget(calls=100),")
        _check_kind("study_budget", study_budget, Budget, "a Budget, such as Budget(calls=100),")
        _check_kind("closing", closing, str, "text")
        if not callable(pseudonym):
            _check_kind("pseudonym", pseudonym, str, "text, a function of the member's id,")
        self._spec = BotSpec(
            id=as_id("id", id),
            client=_made_once(client),
            respond=respond,
            pseudonym=pseudonym,
            disclose=disclose,
            when=when,
            pace=Pace(reading, typing, jitter),
            seed=seed,
            moved_on=moved_on,
            max_messages=max_messages,
            max_share=max_share,
            max_in_a_row=max_in_a_row,
            budget=budget or Budget(),
            study_budget=study_budget or Budget(),
            end=end,
            closing=closing,
            fallback=_made_once(fallback),
        )

    @property
    def id(self) -> str:
        """Its member id."""
        return self._spec.id

    def __repr__(self) -> str:
        return f"Bot({self.id!r})"

    async def enter(self, room: Room) -> None:
        """Be a member of a room; for this package."""
        await reaction.enter(self._spec, room)

    async def react(self, room: Room, message: Message) -> None:
        """Say something to a message, or nothing; for this package."""
        await reaction.react(self._spec, room, message)


def _made_once(client: Any) -> Callable[[], Any] | None:
    """Gives a client, made when it is first needed, by one thread."""
    if client is None:
        return None
    made: list[Any] = [] if callable(client) else [client]
    lock = threading.Lock()

    def give() -> Any:
        with lock:
            if not made:
                made.append(client())
            return made[0]

    return give


def _check(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}; not {value!r}")


def _check_end(end: WhenSpent, fallback: object) -> None:
    _check("end", end, ("silent", "leave", "fallback"))
    if end == "fallback" and fallback is None:
        raise ValueError('end="fallback" needs a fallback')


def _check_kind(name: str, value: object, kind: type, words: str) -> None:
    if value is not None and not isinstance(value, kind):
        raise TypeError(f"{name} must be {words} or None, not {value!r}")


def _check_functions(client: object, respond: object, fallback: object) -> None:
    if respond is not None:
        check_function("respond", respond, "messages")
    for name, value in (("client", client), ("fallback", fallback)):
        if value is not None:
            check_client(name, value, or_makes=True)


def _check_when(when: Any) -> None:
    if isinstance(when, Every | Silence | Chance) or when in ("message", "mention", "model"):
        return
    if isinstance(when, type) or not callable(when):
        raise ValueError(
            'when must be "message", "mention", "model", Every(n), Silence(seconds), Chance(p) '
            f"or a function of the message, not {when!r}"
        )
    check_function("when", when, "message")
