"""A room, for programmes; without Shiny."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, TypeVar, cast, overload

import sqlalchemy as sa

from shiny_labchat.arguments import check_number
from shiny_labchat.audit.entries import AuditEntry, written
from shiny_labchat.callbacks.kinds import PRESENCES
from shiny_labchat.callbacks.scheduler import signed
from shiny_labchat.domain import commands
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.given_network import NetworkLike, as_network
from shiny_labchat.domain.members import Member, as_member_id, as_roles
from shiny_labchat.domain.membership import Role
from shiny_labchat.domain.messages import Message, MessageText, message_of
from shiny_labchat.domain.records import Record, records_in
from shiny_labchat.domain.rules import Rules, replacing_bot
from shiny_labchat.domain.scope import Scope
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.study import StudyState
from shiny_labchat.errors import Refused
from shiny_labchat.lab import asking, history
from shiny_labchat.lab.bot_registry import RoomBot
from shiny_labchat.lab.connecting import Connecting
from shiny_labchat.lab.members import Members
from shiny_labchat.lab.retraction import retract, seq_in
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.lab.settings import Settings, check_rules, without_effect
from shiny_labchat.lab.talking import Talking
from shiny_labchat.lab.timing import Timing
from shiny_labchat.models.thoughts import split_thoughts
from shiny_labchat.store import Log, Outcome, find_room, load_state

__all__ = ["MessageFunction", "PresenceFunction", "Room"]

logger = logging.getLogger("shiny_labchat")

MessageFunction = Callable[["Room", Member | None, Any], Awaitable[object] | object]
"""Takes the room, the author (None: the programme) and a `MessageText`; async or not."""
PresenceFunction = Callable[["Room", Member, Any], Awaitable[object] | object]
"""Takes the room, a member, and their new state: "here", "idle", "away" or "gone"; async or not."""
T = TypeVar("T")
F = TypeVar("F", bound=MessageFunction)
P = TypeVar("P", bound=PresenceFunction)


class Room(Connecting, Members, Timing, Talking):
    """
    One shared chat. Made by :meth:`Lab.room`.

    Attributes
    ----------
    log
        The log of its lab; for this package.
    key
        Its study and id.
    """

    def __init__(
        self, log: Log, key: LogKey, settings: Settings, given_to: str | None = None
    ) -> None:
        self.log = log
        self.key = key
        self._settings = settings
        self._given_to = given_to  # a callback
        self._ids: Iterator[str] | None = None

    def for_call(self, call: str) -> Room:
        """
        The room for one call of a function, which may be repeated; for this package.

        Messages without an id get one that follows from the call and from how many were posted
        before, so that a repeated call posts each of them once.
        """
        room = type(self)(self.log, self.key, self._settings, self._given_to)
        room._ids = (f"{call}:{number}" for number in count(1))
        return room.in_condition(self._condition, self._cohort, self._round)

    @property
    def _runtime(self) -> Runtime:
        return Runtime.of(self.log)

    @property
    def id(self) -> str:
        """The room's id in its study."""
        return self.key.id

    @property
    def study(self) -> str:
        """The study it belongs to."""
        return self.key.study

    def __repr__(self) -> str:
        return f"Room({self.id!r}, study={self.study!r}, log={self.log!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Room) and (other.log, other.key) == (self.log, self.key)

    def __hash__(self) -> int:
        return hash((self.log, self.key))

    async def create(self) -> None:
        """
        Create the room, or apply the settings in the code to it, if it exists.

        Of an existing room, only those are applied that the code gives otherwise than before; what
        was set by :meth:`configure` stays.
        """
        settings = self._settings
        command = _configure(settings, is_default=True)
        outcome = await self.log.submit(self.key, command)
        self._runtime.created.put(self.key, settings, 1)
        for event in outcome.events:
            if stays := without_effect(event.data["code"], outcome.state.configuration):
                logger.warning(
                    "room %r: what the code says anew of %s has no effect, as it was set by "
                    "room.configure() while the room was in use; the room keeps %r",
                    *(self.id, ", ".join(stays), stays),
                )
        await self._runtime.bots.enter(self.key, self)

    async def configure(
        self,
        *,
        title: str | None = None,
        rules: Rules | None = None,
        write: Role | Sequence[Role] | None = None,
        network: NetworkLike | None = None,
        member: str | Member | None = None,
    ) -> None:
        """
        Change the room's settings while it is in use.

        They hold from this moment, in open pages, too, and stay after a restart: what the code
        says in :meth:`Lab.room` is only a default. It has an effect on these settings again once
        they are what it says.

        Parameters
        ----------
        title
            The title shown above the room; None: unchanged.
        rules
            The rules of the room, all of them; None: unchanged.
        write
            The role (or roles) that may write; None: unchanged.
        network
            Who hears whom, whatever was connected or disconnected before, see
            :meth:`Lab.room`; None: unchanged.
        member
            The member for whom alone `rules` hold from now on, in place of the room's: how much,
            how fast and how long they may write, and what they must have written to be done. All
            of these are theirs then, also those that `rules` do not name. None: all members.

        Raises
        ------
        Refused
            `member` is not a member of the room.
        ValueError
            A role is not valid; the rules for one member have one that is the whole room's, such
            as `duration`; or a bot would take places (``Rules(on_gone=)``) that does not do so yet.
        """
        if member is None:
            wanted = None if network is None else as_network(network)
            if rules is not None and replacing_bot(rules) is not None:
                check_rules(rules, (await self.state()).rules)
            settings = Settings(title, rules, as_roles("write", write), wanted)
            await self.submit(_configure(settings))
            return
        if rules is None or not (title is write is network is None):
            raise ValueError("for one member, give rules and nothing else")
        await self.submit(commands.SetRules(as_member_id(member), rules))

    async def submit(self, command: commands.Command) -> Outcome:
        """Submit a command, creating the room if needed; for this package."""
        command = signed(command, self._given_to)
        return await self.once_created(lambda: self.log.submit(self.key, command))

    async def once_created(self, submit: Callable[[], Awaitable[T]]) -> T:
        """Submit a command to the room, creating it if needed; for this package."""
        self._runtime.start_callbacks()
        known = self._runtime.created.get(self.key)
        if known is None or self._settings not in (known, Settings()):
            await self.create()
        try:
            return await submit()
        except Refused as exc:
            if exc.code != "no_room":
                raise
        await self.create()  # the database was replaced while this ran
        return await submit()

    # ── bots ──

    def add_bot(self, bot: RoomBot) -> None:
        """
        Have a bot take part here, from now on and after each restart.

        See :meth:`Lab.add_bot`.

        Parameters
        ----------
        bot
            A :class:`Bot`; a bot with the same id is replaced.
        """
        self._runtime.add_bot(Scope((self.key,)), bot, self.same_lab)
        if self.key in self._runtime.created:  # people are here already
            self._runtime.bots.enter_soon(bot, self)

    async def audit(self) -> list[AuditEntry]:
        """Read the audit of the room's bots; see :meth:`Lab.audit`."""
        return await self.log.read(lambda conn: written(conn, self.study, self.id))

    # ── messages ──

    async def messages(
        self, after: int = 0, limit: int | None = None, last: int | None = None
    ) -> list[Message]:
        """
        All messages of the room, in order; private messages included.

        A stream is included when it has ended. Streams whose server has ended are ended by this
        call, with what was stored of them.

        Parameters
        ----------
        after
            Only messages whose `seq` is larger.
        limit
            The largest number of messages; the oldest ones are returned.
        last
            The largest number of messages; the newest ones are returned.

        Raises
        ------
        ValueError
            Both `limit` and `last` are given, or a number is negative.
        """
        if limit is not None and last is not None:
            raise ValueError(f"give limit or last, not both; they are {limit!r} and {last!r}")
        if min(limit or 0, last or 0, after) < 0:
            raise ValueError(
                "after, limit and last must not be negative, "
                f"but are {after!r}, {limit!r} and {last!r}"
            )
        return await history.said(self.log, self.key, after, limit, last)

    async def post(
        self,
        content: str,
        *,
        author: str | Member | None = None,
        markdown: bool = False,
        audience: Iterable[str | Member] | None = None,
        id: str | None = None,
    ) -> Message:
        """
        Post a message.

        Parameters
        ----------
        content
            The text.
        author
            The member in whose name it is posted. None: the programme.
        markdown
            Whether the text is markdown. It is then sanitised, and loads nothing remote; what
            stands between ``<think>`` and ``</think>`` is folded, as a model's thinking.
        audience
            The members who may see it, whatever the network of the room. None: everybody; in the
            name of a member, those who hear that member.
        id
            An id of your choice: of several posts with one id, only the first makes a message.

        Raises
        ------
        Refused
            The author is no member, is muted, or the room is closed.
        """
        if not isinstance(cast(object, content), str):
            raise TypeError(f"content must be text, not {type(content).__name__}")
        command = commands.Post(
            parts=split_thoughts([("markdown", content)]) if markdown else [("text", content)],
            role="assistant" if author is None else "user",
            member=None if author is None else as_member_id(author),
            audience=None if audience is None else [as_member_id(m) for m in audience],
            cid=id,
        )
        return await self.say(command)

    async def retract(
        self, message: Message | MessageText | int, reason: str | None = None
    ) -> None:
        """
        Take a message back: nobody sees it any more, whoever has written it.

        It goes from all pages, also from those that come back later, and from all that programmes
        and models read: :meth:`messages`, `Chat.messages`, `Chat.turns`, what bots are told. A
        stream that runs is ended first. What a model was told before, it was told; who has read
        the message, has read it. The log keeps it, and exports have it, with ``retracted``.

        To retract it again changes nothing.

        Parameters
        ----------
        message
            The message, as functions and :meth:`messages` give it; or its `seq`.
        reason
            Why; it is in the log, and shown to nobody.

        Raises
        ------
        Refused
            ``no_message``: the room has no message with this `seq`.
        TypeError, ValueError
            `message` is no message, or one of another room.
        """
        command = commands.Retract(seq_in(self.key, message), reason)
        await retract(self.log, self._runtime.live, self.key, self.submit, command)

    async def announce(self, text: str) -> Message:
        """Post a notice without an author."""
        return await self.say(commands.Post(parts=[("text", text)], role="system"))

    async def say(self, command: commands.Post) -> Message:
        """Submit the command for a message; for this package."""
        if command.cid is None and self._ids is not None:
            command = replace(command, cid=next(self._ids), hides_cid=True)
        outcome = await self.submit(command)
        return message_of(outcome.of_message, self.key)

    @overload
    def on_message(self, fn: F, *, name: str | None = None) -> F: ...

    @overload
    def on_message(self, fn: None = None, *, name: str | None = None) -> Callable[[F], F]: ...

    def on_message(self, fn: F | None = None, *, name: str | None = None) -> F | Callable[[F], F]:
        """
        Have a function called with every message in this room from now on.

        No page needs to be open, and the function continues after a restart: see
        :meth:`Lab.on_message`. But after a restart it is called only once it is registered again.
        To register a function for each person or group as they come, better use
        :meth:`Lab.on_message` once, with ``"group-*"``: it works at once after a restart.

        In an Express script, use it as a decorator: the script would show the result of a call.

        Parameters
        ----------
        fn
            ``fn(room, member, message)``, async or not. Can be left out, to decorate with
            ``@room.on_message()``.
        name
            The callback's name; None: its script's folder and name, and its qualified name. A
            function with the same name *in the same room* is replaced.

        Returns
        -------
        callable
            The function; without `fn`, the decorator.
        """

        def register(fn: F) -> F:
            self._runtime.register(Scope((self.key,)), fn, name, self.same_lab)
            return fn

        return register if fn is None else register(fn)

    @overload
    def on_presence(self, fn: P, *, name: str | None = None) -> P: ...

    @overload
    def on_presence(self, fn: None = None, *, name: str | None = None) -> Callable[[P], P]: ...

    def on_presence(self, fn: P | None = None, *, name: str | None = None) -> P | Callable[[P], P]:
        """
        Have a function called when members come or go; see :meth:`Lab.on_presence`.

        Parameters
        ----------
        fn
            ``fn(room, member, state)``, async or not; left out, as in :meth:`on_message`.
        name
            As in :meth:`on_message`.

        Returns
        -------
        callable
            The function; without `fn`, the decorator.
        """

        def register(fn: P) -> P:
            scope = Scope((self.key,))
            self._runtime.register(scope, fn, name, self.same_lab, kind=PRESENCES)
            return fn

        return register if fn is None else register(fn)

    async def ask_presence(self, member: str | Member, within: float = 15) -> bool:
        """
        Ask a member whether they are still there, in a dialog on their pages.

        Parameters
        ----------
        member
            The member. A bot is always there, and not asked.
        within
            How long they have to answer, in seconds.

        Returns
        -------
        bool
            Whether they have answered in time, as the log says.

        Raises
        ------
        Refused
            They are not a member of the room.
        """
        check_number("within", within, above=0)
        who, live = as_member_id(member), self._runtime.live
        return await asking.ask_presence(self.submit, live, self.key, who, within)

    def same_lab(self, key: LogKey, given_to: str | None = None) -> Room:
        """A room of the same lab, its settings unchanged; for this package."""
        return Room(self.log, key, Settings(), given_to)

    async def record(self, kind: str, data: Any, *, member: str | Member | None = None) -> None:
        """
        Store your own data in the room's log; it is shown to nobody.

        Parameters
        ----------
        kind
            The kind of the data, such as ``"guess"``.
        data
            Any value that JSON can hold.
        member
            The member it is about.

        Raises
        ------
        TypeError
            `data` cannot be written as JSON.
        """
        who = None if member is None else as_member_id(member)
        await self.submit(commands.Record(kind, data, who))

    async def records(self, kind: str | None = None) -> list[Record]:
        """
        What was last recorded about each of its people.

        Forms record, and :meth:`Person.record` does. Its people are those who were grouped for it
        in a lobby, and who have not dropped out: they take part, have completed, or were led out
        as too few were left. What :meth:`record` has stored in the room is not among it. In rounds,
        of what is recorded in rounds, only what was in the one of this room.

        Parameters
        ----------
        kind
            Only records of this kind, such as the name of a form; None: of all kinds.

        Returns
        -------
        list
            Each with `member` (the person's id), `kind`, `data` (of a form, its answers by the
            ids of its inputs) and `at`. Person by person, in the order of their group.
        """
        return records_in(await self.study_state(), self.id, kind)

    async def study_state(self) -> StudyState:
        """The state of its study in the log now; for this package."""
        return cast(StudyState, await self._runtime.live.logs.read(study_log(self.study)))

    # ── the room itself ──

    async def open(self) -> None:
        """Open the room (again): members can write."""
        await self.submit(commands.Open())

    async def close(self, reason: str | None = None) -> None:
        """Close the room: members can read, but not write. They are shown `reason`."""
        await self.submit(commands.Close(reason))

    async def clear(self, member: str | None = None, *, greeting: bool = False) -> None:
        """
        Clear everybody's screen, or one member's; the log keeps all messages.

        Parameters
        ----------
        member
            The id of the member whose screen is cleared; None: everybody's.
        greeting
            Whether the greeting is cleared, too.
        """
        await self.submit(commands.Clear(member, greeting))

    async def state(self) -> RoomState:
        """The state of the room in its log now; for this package."""

        def read(conn: sa.Connection) -> RoomState:
            found = find_room(conn, self.key)
            return RoomState() if found is None else load_state(conn, *found)

        return await self.log.read(read)


def _configure(settings: Settings, *, is_default: bool = False) -> commands.Configure:
    seed, write = secrets.token_hex(8), settings.write
    given = settings.title, write, settings.rules, is_default, settings.network
    return commands.Configure(seed, *given)
