"""The class `Bot`: a program that is a member of rooms."""

from __future__ import annotations

import threading
from copy import copy
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, cast, get_args

from shiny_labchat.arguments import (
    as_id,
    check_choice,
    check_client,
    check_count,
    check_function,
    check_number,
)
from shiny_labchat.bots import description, entering, hearing, reaction
from shiny_labchat.bots.budget import Budget
from shiny_labchat.bots.pace import JITTER, READING_SPEED, TYPING_SPEED, Pace
from shiny_labchat.bots.spec import BotSpec, MovedOn, WhenSpent
from shiny_labchat.bots.when import Respond, When, as_conditions, moments_of
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.pseudonyms import Pseudonym, check_pseudonym
from shiny_labchat.domain.triggers import Moment
from shiny_labchat.lab.room import Room

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shiny_labchat.callbacks.skipping import Complete, Skipped
    from shiny_labchat.domain.state import RoomState
    from shiny_labchat.models.client import ModelClient

    Client = ModelClient | Callable[[], ModelClient]

__all__ = ["Bot"]


class Bot:
    """
    A program that is a member of rooms, run by the server.

    Add it with :meth:`Room.add_bot` or :meth:`Lab.add_bot`.

    Parameters
    ----------
    id
        Its member id; never shown to participants. If a person in a room has the same id, the bot
        does not join that room, and the server's log says so.
    client
        The language model that writes its messages: a chatlas Chat with its system prompt and
        tools (or any object with its public methods), or a function that makes one, called when it
        is first needed: when the bot writes, or when a :class:`Study` notes what it is. The model
        is sent all messages that everybody could read, with names; the client's own turns are not
        used.
    respond
        Instead of a model: a function that takes the conversation (a tuple of :class:`Message`,
        the last one by somebody else) and returns the text to post, or None to post nothing. A
        function that is not async runs in a thread.
    pseudonym
        As in :meth:`Room.add_member`. A template such as "Player {n}" counts in order of joining,
        and bots join first.
    disclose
        Whether it is shown as an assistant. If not, all that reaches a browser shows it as a
        participant, until :meth:`Room.disclose`, and the rules for participants hold for it:
        where and when they may write, how much and how fast (:class:`Rules`).
    when
        To which messages of other members it replies: "message" (each), "mention" (those with its
        pseudonym), ``Every(n)``, ``Silence(seconds)``, ``Chance(p)``, ``Unequal(share)``, a
        function of the :class:`Message`, or of it and the :class:`Talk` (async or not), or "model":
        the model is asked each time, and may decline with "[no reply]". The bot does not receive
        private messages. Or when it writes by itself: ``At(120, 300)``, ``BeforeClose(60)``. Or a
        list of these: it writes when one of them holds.
    moved_on
        What to do with a message if others have written while the bot composed it: "send" it,
        "redraft" it (write it anew, at most twice), or "drop" it (and react to the newer messages
        instead).
    reading
        How fast it reads new messages, in words per minute; None: at once. The default, 238, is
        the silent reading speed of adults for English non-fiction: Brysbaert (2019), a
        meta-analysis of 190 studies, https://doi.org/10.1016/j.jml.2019.104047.
    typing
        How fast it types, in words of five characters per minute; None: at once. The default, 52,
        is the average of 168,000 people: Dhakal et al. (2018),
        https://doi.org/10.1145/3173574.3174220. Meanwhile the others see that it is typing.
    jitter
        How much both times vary from message to message: the standard deviation of the logarithm
        of the time (0.2: two of three messages within about 20 %). The mean stays the same. The
        default is our own choice.
    seed
        Random numbers (for jitter and ``Chance``) depend on this, the room, and the message: the
        same seed gives the same behaviour. Models that take a seed are sent one derived from it.
        None: the room's own random seed is used, and no seed is sent to models.
    max_messages
        The most messages that it writes in a room, cleared ones included; None: no limit.
    max_share
        Its largest share of all members' messages in a room, from 0 to 1; None: no limit.
    max_in_a_row
        How many messages of bots may follow each other, without one of a person between them,
        before this bot writes nothing more: so bots do not talk to each other for ever. None: no
        limit. If messages that other bots began to compose earlier could reach the limit, the
        bot waits for these first.
    budget, study_budget
        What this bot may spend in a study; and what all bots together may have spent in the study
        before this bot stops. See :class:`Budget` for what is counted, and how exactly.
    end
        What it does when it has written `max_messages`, or a budget is spent: "silent" (it stays
        and writes nothing), "leave" (it leaves the room), or "fallback" (for budgets only: from
        then on `fallback` writes its messages).
    closing
        A text that it posts once before it becomes silent or leaves; None: none.
    fallback
        A second client, used when `client` fails, and for ``end="fallback"``.
    shadow
        Whether it decides and composes as always, which is in the audit, but says nothing. It is
        no member of any room, and nobody is shown anything of it: for control groups.

    Raises
    ------
    ValueError, TypeError
        An argument is not valid.

    Notes
    -----
    A message is sent max(latency, reading + typing) after the bot has begun to read: the model
    works during the time in which the bot reads and types. ``Rules(max_composing=)`` says how
    many bots compose at the same time in a room; the others wait, first come first served.

    The bot reacts to messages of other members. It reads what programmes post (announcements, for
    example), but does not react to it. A streamed message counts when it is complete. A message
    that was cleared from the room's screen before the bot replied gets no reply.

    A page's ``transform_user_input`` changes the messages of people there, not those of bots.

    A model that fails is asked again after a little more than 1, 3 and 8 seconds, then the
    fallback is asked. If no client could be made, the fallback is asked at once. If no model
    answers, the bot writes nothing, and only the server's log and the audit say so. No model is
    asked where the bot may not write.

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
        shadow: bool = False,
    ) -> None:
        if (client is None) == (respond is None):
            raise ValueError("a bot needs either client or respond, and not both")
        _check_functions(client, respond, fallback)
        for name, value in (("disclose", disclose), ("shadow", shadow)):
            if not isinstance(cast(object, value), bool):
                raise TypeError(f"{name} must be True or False, not {value!r}")
        check_choice("moved_on", moved_on, get_args(MovedOn))
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
        check_pseudonym(pseudonym)
        self._spec = BotSpec(
            id=as_id("id", id),
            client=_made_once(client),
            respond=respond,
            pseudonym=pseudonym,
            disclose=disclose,
            when=as_conditions(when),
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
            shadow=shadow,
        )

    @property
    def id(self) -> str:
        """The bot's member id."""
        return self._spec.id

    @property
    def is_disclosed(self) -> bool:
        """Whether it is shown as an assistant, or to nobody; for this package."""
        return self._spec.disclose or self._spec.shadow

    @property
    def moments(self) -> Sequence[Moment]:
        """The moments of rooms' times at which it writes; for this package."""
        return moments_of(self._spec.when)

    def moments_in(self, state: RoomState) -> Sequence[Moment]:
        """Those in a room; for this package."""
        return self.moments if self.is_in(state) else ()

    def is_in(self, state: RoomState) -> bool:
        """Whether it takes part in a room, or will; for this package."""
        known = state.memberships.get(self.id)
        return known is None or (known.is_bot and not known.is_removed)

    def as_member(self, id: str) -> Bot:
        """The same bot with another member id; for this package."""
        other = copy(self)
        other._spec = replace(self._spec, id=id)
        return other

    def __repr__(self) -> str:
        return f"Bot({self.id!r})"

    def described(self, *, with_clients: bool) -> list[dict[str, Any]]:
        """
        What it is, as JSON values for a study's record; for this package only.

        Parameters
        ----------
        with_clients
            Whether its models are described, too. They are made then, which may take long.
        """
        clients = description.clients_of(self._spec) if with_clients else {}
        return [description.outline_of(self._spec) | clients]

    async def enter(self, room: Room) -> None:
        """Join a room; for this package only."""
        await entering.enter(self._spec, room)

    async def skip(
        self, room: Room, messages: Sequence[Complete], state: RoomState | None
    ) -> Skipped:
        """Decide to how many messages it does not react; for this package only."""
        return await hearing.skip(self._spec, room, messages, state)

    async def react(self, room: Room, message: Message) -> None:
        """Reply to a message, or decide not to; for this package only."""
        await reaction.react(self._spec, room, message)

    async def act(self, room: Room, trigger: Event) -> None:
        """Write a message, as a moment has come or the app asks; for this package only."""
        await reaction.act(self._spec, room, trigger)


BY_HAND = """\
async def respond(messages):
    return await MODEL.reply(messages[-1].content)
bot = Bot("bot", respond=respond)"""
"""What a programme writes to have a model speak that is no chatlas Chat."""


def _made_once(client: Any) -> Callable[[], Any] | None:
    """A function that returns the client, made once, when it is first needed."""
    if client is None:
        return None
    made: list[Any] = [] if callable(client) else [client]
    lock = threading.Lock()

    def give() -> Any:
        with lock:
            if not made:
                model = client()
                check_client("client", model, instead=BY_HAND)
                made.append(model)
            return made[0]

    return give


def _check_end(end: WhenSpent, fallback: object) -> None:
    check_choice("end", end, get_args(WhenSpent))
    if end == "fallback" and fallback is None:
        raise ValueError('end="fallback" needs a second client; give one as fallback=')


def _check_kind(name: str, value: object, kind: type, words: str) -> None:
    if value is not None and not isinstance(value, kind):
        raise TypeError(f"{name} must be {words} or None, not {value!r}")


def _check_functions(client: object, respond: object, fallback: object) -> None:
    if respond is not None:
        check_function("respond", respond, "messages")
    for name, value in (("client", client), ("fallback", fallback)):
        if value is not None:
            check_client(name, value, instead=BY_HAND, or_makes=True)
