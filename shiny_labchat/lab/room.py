"""A room, for programmes: no page and no Shiny in it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar, cast, overload

import sqlalchemy as sa

from shiny_labchat.audit.entries import AuditEntry, written
from shiny_labchat.callbacks.scheduler import signed
from shiny_labchat.domain import commands
from shiny_labchat.domain.events import RoomKey
from shiny_labchat.domain.members import Member, as_member_id, as_roles
from shiny_labchat.domain.messages import Message, message_of
from shiny_labchat.domain.pseudonyms import Pseudonym, resolve_pseudonym
from shiny_labchat.domain.scope import Scope
from shiny_labchat.domain.state import Role, RoomState
from shiny_labchat.errors import Refused
from shiny_labchat.lab import history
from shiny_labchat.lab.bot_registry import RoomBot
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.lab.settings import Settings
from shiny_labchat.store import Log, Outcome, find_room, load_state

__all__ = ["MessageFunction", "Room"]

MessageFunction = Callable[["Room", Member | None, Message], Awaitable[object] | object]
"""A callback: takes the room, who spoke (None: the programme) and the message; async or not."""
F = TypeVar("F", bound=MessageFunction)


class Room:
    """
    One shared chat. Made by :meth:`Lab.room`.

    Attributes
    ----------
    log
        The log it is in; for this package.
    key
        Its study and id.
    """

    def __init__(
        self, log: Log, key: RoomKey, settings: Settings, given_to: str | None = None
    ) -> None:
        self.log = log
        self.key = key
        self._settings = settings
        self._given_to = given_to  # a callback

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
        """Make the room, and make it what the code says, if it is not so yet."""
        settings = self._settings
        command = commands.Configure(
            secrets.token_hex(8), settings.title, settings.write, settings.rules
        )
        await self.log.submit(self.key, command)
        self._runtime.created[self.key] = settings
        await self._runtime.bots.enter(self.key, self)

    async def submit(self, command: commands.Command) -> Outcome:
        """Have a command decided, in a room that exists by then; for this package."""
        self._runtime.start_callbacks()
        command = signed(command, self._given_to)
        known = self._runtime.created.get(self.key)
        if known is None or self._settings not in (known, Settings()):
            await self.create()
        try:
            return await self.log.submit(self.key, command)
        except Refused as exc:
            if exc.code != "no_room":
                raise
        await self.create()  # the database was exchanged under us
        return await self.log.submit(self.key, command)

    # ── members ──

    async def add_member(
        self,
        member: str | Member,
        pseudonym: Pseudonym = None,
        role: Role | None = None,
    ) -> Member:
        """
        Make someone a member; who is one already keeps their seat.

        Parameters
        ----------
        member
            The person's id in the study, such as ``"p17"``; never shown to participants.
        pseudonym
            The name that others see: text (made unique with a number), a template such as
            ``"Player {n}"``, or a function of the member's id. None: a generated one, which
            stays the same for good. For who is a member already: a new name, or None to keep it.
        role
            "participant" (also None), "observer", "experimenter" or "assistant". For who is a
            member already: a new role, or None to keep it.

        Returns
        -------
        Member
            As the room knows them now.
        """
        id = as_member_id(member)
        roles = as_roles(role)
        asked = resolve_pseudonym(pseudonym, id)
        await self._join(id, asked, roles[0] if roles else "participant")
        change = commands.Change(id, roles[0] if roles else None, asked)
        return _member_in(await self.submit(change), id)

    async def join(self, member: str, pseudonym: str | None, role: Role | None) -> Member:
        """A page's own coming in: never brings back who was removed; for this package."""
        outcome = await self._join(member, pseudonym, role or "participant", by_page=True)
        if role is not None and outcome.state.memberships[member].role != role:
            outcome = await self.submit(commands.Change(member, role))
        return _member_in(outcome, member)

    async def _join(
        self, member: str, pseudonym: str | None, role: Role, by_page: bool = False
    ) -> Outcome:
        handle = secrets.token_hex(4)
        return await self.submit(commands.Join(member, handle, role, pseudonym, by_page))

    async def remove_member(self, member: str | Member) -> None:
        """Take someone out: from this moment they can neither read nor write here."""
        await self.submit(commands.Remove(as_member_id(member)))

    async def mute(self, member: str | Member) -> None:
        """Let a member only read, until :meth:`unmute`."""
        await self.submit(commands.Mute(as_member_id(member)))

    async def unmute(self, member: str | Member) -> None:
        """Let a muted member write again."""
        await self.submit(commands.Mute(as_member_id(member), on=False))

    def add_bot(self, bot: RoomBot) -> None:
        """
        Have a bot take part here, from now on and after each restart.

        See :meth:`Lab.add_bot`.

        Parameters
        ----------
        bot
            A :class:`Bot`; one with the same id is replaced.
        """
        self._runtime.add_bot(Scope((self.key,)), bot, self.same_lab)
        if self.key in self._runtime.created:  # people are here already
            self._runtime.bots.enter_soon(bot, self)

    async def disclose(
        self, member: str | Member | None = None, *, to: Iterable[str | Member] | None = None
    ) -> None:
        """
        Show who is a bot: it, and all it has said, is an assistant's from now on.

        Parameters
        ----------
        member
            The bot; None: all bots of the room.
        to
            The members who are shown it; None: everybody.
        """
        who = None if member is None else as_member_id(member)
        whom = None if to is None else tuple(as_member_id(each) for each in to)
        await self.submit(commands.Disclose(who, whom))

    async def audit(self) -> list[AuditEntry]:
        """Read what bots asked models here, and why they kept silent; see `Lab.audit`."""
        return await self.log.read(lambda conn: written(conn, *self.key))

    async def members(self) -> list[Member]:
        """Who is a member now, in order of joining."""
        state = await self.state()
        return [Member.of(membership) for membership in state.members()]

    # ── messages ──

    async def messages(
        self, after: int = 0, limit: int | None = None, last: int | None = None
    ) -> list[Message]:
        """
        What was said, in order; all of it, private messages included.

        What is still being said is no message yet. Where the server has gone that was at it, it
        ends here, with what is kept of it.

        Parameters
        ----------
        after
            Only messages whose `seq` is larger.
        limit
            At most so many, the oldest ones.
        last
            At most so many, the newest ones.

        Raises
        ------
        ValueError
            Both `limit` and `last` are given, or one is negative.
        """
        if limit is not None and last is not None:
            raise ValueError("limit and last cannot be given both")
        if min(limit or 0, last or 0, after) < 0:
            raise ValueError("after, limit and last cannot be negative")
        events = await history.said(self.log, self.key, after, limit, last)
        return [message_of(event) for event in events]

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
        Say something.

        Parameters
        ----------
        content
            The text.
        author
            The member who says it. None: the programme.
        markdown
            Whether it is markdown; it is sanitised then, and loads nothing remote.
        audience
            The members who may see it. None: everybody.
        id
            What makes it one message however often it is posted.

        Raises
        ------
        Refused
            The author is no member, is muted, or the room is closed.
        """
        if not isinstance(cast(object, content), str):
            raise TypeError(f"content must be text, not {type(content).__name__}")
        command = commands.Post(
            parts=[("markdown" if markdown else "text", content)],
            role="assistant" if author is None else "user",
            member=None if author is None else as_member_id(author),
            audience=None if audience is None else [as_member_id(m) for m in audience],
            cid=id,
        )
        return await self.say(command)

    async def announce(self, text: str) -> Message:
        """Put a notice into the conversation, in nobody's name."""
        return await self.say(commands.Post(parts=[("text", text)], role="system"))

    async def say(self, command: commands.Post) -> Message:
        """Post what was made of a message; for this package."""
        outcome = await self.submit(command)
        return message_of(outcome.events[0])

    @overload
    def on_message(self, fn: F, *, name: str | None = None) -> F: ...

    @overload
    def on_message(self, fn: None = None, *, name: str | None = None) -> Callable[[F], F]: ...

    def on_message(self, fn: F | None = None, *, name: str | None = None) -> F | Callable[[F], F]:
        """
        Have a function called with every message that is said here from now on.

        It needs no page, and it goes on where it was after a restart: see :meth:`Lab.on_message`.
        After a restart it is heard of when this has been called again, so where that is done for
        each person or group as they come, :meth:`Lab.on_message` for ``"group-*"`` is better: it
        is there at once.

        In an Express script it is a decorator: such a script would show what a mere call gives.

        Parameters
        ----------
        fn
            ``fn(room, member, message)``, async or not. Can be left out, to decorate with
            ``@room.on_message()``.
        name
            What it is known by; None: its script's folder and name, and its qualified name. A
            function registered under the same name *in the same room* is replaced.

        Returns
        -------
        callable
            The function.
        """

        def register(fn: F) -> F:
            self._runtime.register(Scope((self.key,)), fn, name, self.same_lab)
            return fn

        return register if fn is None else register(fn)

    def same_lab(self, key: RoomKey, given_to: str | None = None) -> Room:
        """A room of the same lab, as it is, for a callback; for this package."""
        return Room(self.log, key, Settings(), given_to)

    async def record(self, kind: str, data: Any, *, member: str | Member | None = None) -> None:
        """
        Write an event of the study's own into the room's log; nobody is shown it.

        Parameters
        ----------
        kind
            What it is, such as ``"guess"``.
        data
            Anything that JSON can hold.
        member
            Whom it is about.

        Raises
        ------
        TypeError
            `data` cannot be written as JSON.
        """
        who = None if member is None else as_member_id(member)
        await self.submit(commands.Record(kind, data, who))

    # ── the room itself ──

    async def open(self) -> None:
        """Let members write (again)."""
        await self.submit(commands.Open())

    async def close(self, reason: str | None = None) -> None:
        """End the conversation: members can read, not write. They are shown `reason`."""
        await self.submit(commands.Close(reason))

    async def clear(self, member: str | None = None, *, greeting: bool = False) -> None:
        """Empty everybody's screen, or one member's, greeting and all; the log keeps all."""
        await self.submit(commands.Clear(member, greeting))

    async def state(self) -> RoomState:
        """The room as its log has it now; for this package."""

        def read(conn: sa.Connection) -> RoomState:
            found = find_room(conn, self.key)
            return RoomState() if found is None else load_state(conn, *found)

        return await self.log.read(read)


def _member_in(outcome: Outcome, member: str) -> Member:
    return Member.of(outcome.state.memberships[member])
