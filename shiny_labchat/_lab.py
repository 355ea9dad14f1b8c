"""Labs and rooms, for programmes: no page and no Shiny in them."""

from __future__ import annotations

import os
import secrets
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, cast

import sqlalchemy as sa

from shiny_labchat import _decide, _door
from shiny_labchat._domain import (
    ROLES,
    Event,
    Member,
    Message,
    Role,
    RoomKey,
    RoomState,
    Rules,
    message_of,
)
from shiny_labchat._pseudonyms import Pseudonym
from shiny_labchat.errors import Refused
from shiny_labchat.store import (
    Grant,
    Log,
    Outcome,
    events_after,
    events_before,
    find_room,
    load_state,
    open_log,
    rooms,
)

__all__ = ["Lab", "Room", "app_folder", "as_member_id"]


class Lab:
    """
    The rooms of one database.

    Making one is cheap: it does no I/O, needs no event loop, and the same URL means the same
    database connections and the same writer, however often a script runs.

    Parameters
    ----------
    url
        The database, such as ``"sqlite:///lab.db"``. None: what the environment variable
        ``LABCHAT_URL`` says, else the file ``labchat.db`` in the app's folder.

    Raises
    ------
    ValueError
        The URL names no database that can hold a lab.
    """

    def __init__(self, url: str | None = None) -> None:
        self._folder = app_folder()
        url = url or os.environ.get("LABCHAT_URL") or f"sqlite:///{self._folder / 'labchat.db'}"
        self._log = open_log(url)

    @property
    def url(self) -> str:
        """The database's URL, without its password."""
        return self._log.url.render_as_string()

    @property
    def log(self) -> Log:
        """The log behind the lab; for this package."""
        return self._log

    def __repr__(self) -> str:
        return f"Lab({self.url!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lab) and other._log is self._log

    def __hash__(self) -> int:
        return hash(self._log)

    def room(
        self,
        id: str,
        *,
        study: str | None = None,
        title: str | None = None,
        rules: Rules | None = None,
        write: Role | Sequence[Role] | None = None,
    ) -> Room:
        """
        A room, which comes into being when it is first used.

        Parameters
        ----------
        id
            The room's id in its study.
        study
            The named set of rooms it belongs to. None: named after the app's folder.
        title
            What is shown above it; None leaves what it has.
        rules
            What is allowed in it; None leaves what it has.
        write
            The role (or roles) that may write. None leaves what it has: all but observers.

        Raises
        ------
        ValueError
            An id, a study or a role is not one.
        """
        key = RoomKey(_name("study", study or self._folder.name or "app"), _name("id", id))
        return Room(self, key, _Settings(title, rules, _roles(write)))

    async def create_room(
        self,
        id: str,
        *,
        study: str | None = None,
        title: str | None = None,
        rules: Rules | None = None,
        write: Role | Sequence[Role] | None = None,
    ) -> Room:
        """The same as :meth:`room`, at once. One that exists already is returned."""
        room = self.room(id, study=study, title=title, rules=rules, write=write)
        await room.create()
        return room

    async def room_exists(self, id: str, *, study: str | None = None) -> bool:
        """Whether there is such a room."""
        key = self.room(id, study=study).key
        return await self._log.read(lambda conn: find_room(conn, key)) is not None

    async def rooms(self, study: str | None = None) -> list[Room]:
        """The rooms of a study (None: all of the lab), in order of creation."""
        keys = await self._log.read(lambda conn: rooms(conn, study))
        return [Room(self, key, _Settings()) for key in keys]

    async def invite(
        self,
        member: str,
        *,
        room: str | Room | None = None,
        study: str | None = None,
        role: Role | None = None,
    ) -> str:
        """
        Make a personal link's token.

        Parameters
        ----------
        member
            The id of the person it is for.
        room, study
            Where it is good; None: in all rooms of the study, or of the lab.
        role
            What the person is there; None: what the page says, else a participant.

        Returns
        -------
        str
            Put it behind the app's address: ``https://.../?labchat=TOKEN``. Whoever has it *is*
            that person, so give it to nobody else.
        """
        if isinstance(room, str):
            room = self.room(room, study=study)
        roles = _roles(role)
        grant = Grant(
            as_member_id(member),
            room.key if room else None,
            role=roles[0] if roles else None,
            study=study,
        )
        return await _door.invite(self._log, grant)


class Room:
    """
    One shared chat. Made by :meth:`Lab.room`.

    Attributes
    ----------
    lab
        The lab it is in.
    key
        Its study and id.
    """

    def __init__(self, lab: Lab, key: RoomKey, settings: _Settings) -> None:
        self.lab = lab
        self.key = key
        self._settings = settings

    @property
    def id(self) -> str:
        """The room's id in its study."""
        return self.key.id

    @property
    def study(self) -> str:
        """The study it belongs to."""
        return self.key.study

    def __repr__(self) -> str:
        return f"Room({self.id!r}, study={self.study!r}, lab={self.lab!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Room) and (other.lab, other.key) == (self.lab, self.key)

    def __hash__(self) -> int:
        return hash((self.lab, self.key))

    async def create(self) -> None:
        """Make the room, and make it what the code says, if it is not so yet."""
        settings = self._settings
        wish = _decide.Configure(
            secrets.token_hex(8), settings.title, settings.write, settings.rules
        )
        await self.lab.log.submit(self.key, wish)
        _created(self.lab.log)[self.key] = settings

    async def submit(self, command: _decide.Command) -> Outcome:
        """Have a command decided, in a room that exists by then; for this package."""
        if _created(self.lab.log).get(self.key) != self._settings:
            await self.create()
        try:
            return await self.lab.log.submit(self.key, command)
        except Refused as exc:
            if exc.code != "no_room":
                raise
        await self.create()  # the database was exchanged under us
        return await self.lab.log.submit(self.key, command)

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
        roles = _roles(role)
        asked = resolve_pseudonym(pseudonym, id)
        await self._join(id, asked, roles[0] if roles else "participant")
        change = _decide.Change(id, roles[0] if roles else None, asked)
        return _member_in(await self.submit(change), id)

    async def join(self, member: str, pseudonym: str | None, role: Role | None) -> Member:
        """A page's own coming in: never brings back who was removed; for this package."""
        outcome = await self._join(member, pseudonym, role or "participant", by_page=True)
        if role is not None and outcome.state.seats[member].role != role:
            outcome = await self.submit(_decide.Change(member, role))
        return _member_in(outcome, member)

    async def _join(
        self, member: str, pseudonym: str | None, role: Role, by_page: bool = False
    ) -> Outcome:
        handle = secrets.token_hex(4)
        return await self.submit(_decide.Join(member, handle, role, pseudonym, by_page))

    async def remove_member(self, member: str | Member) -> None:
        """Take someone out: from this moment they can neither read nor write here."""
        await self.submit(_decide.Remove(as_member_id(member)))

    async def mute(self, member: str | Member) -> None:
        """Let a member only read, until :meth:`unmute`."""
        await self.submit(_decide.Mute(as_member_id(member)))

    async def unmute(self, member: str | Member) -> None:
        """Let a muted member write again."""
        await self.submit(_decide.Mute(as_member_id(member), on=False))

    async def members(self) -> list[Member]:
        """Who is a member now, in order of joining."""
        state = await self.state()
        return [Member.of(seat) for seat in state.members()]

    # ── messages ──

    async def messages(
        self, after: int = 0, limit: int | None = None, last: int | None = None
    ) -> list[Message]:
        """
        What was said, in order; all of it, private messages included.

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

        def read(conn: sa.Connection) -> list[Event]:
            found = find_room(conn, self.key)
            if found is None:
                return []
            number, seq = found
            if last is None:
                return events_after(conn, number, after, limit, kinds=("message",))
            newest = events_before(conn, number, seq + 1, last, ("message",))
            return [event for event in reversed(newest) if event.seq > after]

        return [message_of(event) for event in await self.lab.log.read(read)]

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
        command = _decide.Post(
            parts=[("markdown" if markdown else "text", content)],
            role="assistant" if author is None else "user",
            member=None if author is None else as_member_id(author),
            audience=None if audience is None else [as_member_id(m) for m in audience],
            cid=id,
        )
        return await self.say(command)

    async def announce(self, text: str) -> Message:
        """Put a notice into the conversation, in nobody's name."""
        return await self.say(_decide.Post(parts=[("text", text)], role="system"))

    async def say(self, command: _decide.Post) -> Message:
        """Post what was made of a message; for this package."""
        outcome = await self.submit(command)
        return message_of(outcome.events[0])

    async def record(
        self, kind: str, data: Any, *, member: str | Member | None = None
    ) -> None:
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
        await self.submit(_decide.Record(kind, data, who))

    # ── the room itself ──

    async def open(self) -> None:
        """Let members write (again)."""
        await self.submit(_decide.Open())

    async def close(self, reason: str | None = None) -> None:
        """End the conversation: members can read, but not write. `reason` is shown to them."""
        await self.submit(_decide.Close(reason))

    async def clear(self, member: str | None = None) -> None:
        """Empty everybody's screen, or one member's; the log keeps all."""
        await self.submit(_decide.Clear(member))

    async def state(self) -> RoomState:
        """The room as its log has it now; for this package."""

        def read(conn: sa.Connection) -> RoomState:
            found = find_room(conn, self.key)
            return RoomState() if found is None else load_state(conn, *found)

        return await self.lab.log.read(read)


@dataclass(frozen=True, slots=True)
class _Settings:
    """What the code says of a room."""

    title: str | None = None
    rules: Rules | None = None
    write: tuple[Role, ...] | None = None


def _created(log: Log) -> dict[RoomKey, _Settings]:
    """The rooms that this process has made what the code says, by log."""
    return _rooms_created.setdefault(log, {})


_rooms_created: dict[Log, dict[RoomKey, _Settings]] = {}


def _member_in(outcome: Outcome, member: str) -> Member:
    return Member.of(outcome.state.seats[member])


def resolve_pseudonym(pseudonym: Pseudonym, member: str) -> str | None:
    """The text or template of a pseudonym that may be a function."""
    if callable(pseudonym):
        pseudonym = pseudonym(member)
    if pseudonym is not None and not isinstance(cast(object, pseudonym), str):
        raise TypeError(f"pseudonym must be text, not {type(pseudonym).__name__}")
    return pseudonym


def as_member_id(member: str | Member) -> str:
    """The id of a member given as one or the other."""
    return _name("member", member.id if isinstance(member, Member) else member)


def _name(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{what} must be text, not {type(value).__name__}")
    if not value.strip() or len(value) > 200 or not value.isprintable():
        raise ValueError(f"{what} must be 1 to 200 printable characters, not {value[:40]!r}")
    return value


def _roles(role: Role | Sequence[Role] | None) -> tuple[Role, ...] | None:
    if role is None:
        return None
    roles = (role,) if isinstance(role, str) else tuple(role)
    for each in roles:
        if each not in ROLES:
            raise ValueError(f"role must be one of {', '.join(ROLES)}; not {each!r}")
    return cast("tuple[Role, ...]", roles)


def app_folder() -> Path:
    """The folder of the app that calls: of the first code outside installed packages."""
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_absolute() and path.is_file() and not _is_library(path):
            return path.parent
        frame = frame.f_back
    return Path.cwd()


def _is_library(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in _LIBRARIES)


_LIBRARIES = tuple(
    {Path(__file__).parent, *(Path(sysconfig.get_path(p)) for p in ("stdlib", "purelib", "platlib"))}
)
