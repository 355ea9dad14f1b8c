"""A lab, for programmes: no page and no Shiny in it."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TypeVar, cast

from shiny_labchat.access import identity
from shiny_labchat.arguments import as_id
from shiny_labchat.audit.entries import AuditEntry, written
from shiny_labchat.domain.events import RoomKey
from shiny_labchat.domain.members import as_member_id, as_roles
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.scope import Scope
from shiny_labchat.domain.state import Role
from shiny_labchat.lab.bot_registry import RoomBot
from shiny_labchat.lab.room import MessageFunction, Room
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.lab.settings import Settings
from shiny_labchat.store import Grant, Log, find_room, rooms

__all__ = ["Lab"]

F = TypeVar("F", bound=MessageFunction)


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
        self._log = Runtime.open(url).log

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
        key = RoomKey(as_id("study", study or self._folder.name or "app"), as_id("id", id))
        return Room(self._log, key, Settings(title, rules, as_roles(write)))

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
        return [Room(self._log, key, Settings()) for key in keys]

    def on_message(
        self, rooms: str | Room | Sequence[str | Room] = "*", name: str | None = None
    ) -> Callable[[F], F]:
        """
        Have a function called with every message in some rooms; a decorator.

        It needs no page, and it goes on after a restart, before anybody visits, with the first
        message that it has not handled. Registered for the first time it begins with what is
        said from then on; in rooms that are made later, with their first message.

        Parameters
        ----------
        rooms
            ``"*"`` (all), a room's id, a glob such as ``"group-*"``, or several of these: rooms
            of *any* study. Or a :class:`Room`, or several, if one study's are meant.
        name
            What it is known by; None: its script's folder and name, and its qualified name. A
            function registered under the same name, for the same `rooms`, is replaced, as each
            session of an Express script does it. Of several of one name for different `rooms`,
            the last one is called in a room that they are all for.

        Returns
        -------
        callable
            The decorator: takes ``fn(room, member, message)``, async or not, and gives it back.

        Raises
        ------
        ValueError
            A room is not one, or the function has no name of its own.
        TypeError
            `rooms` are no rooms, or the function takes something else.

        Notes
        -----
        `room` is the :class:`Room`; `member` the :class:`Member` who spoke, None when the
        programme did; ``str(message)`` is the :class:`Message`'s text. Private messages are
        heard, too. A message of a stream is heard when that has ended. What the function itself
        posts is not, nor what a task that it started posts, nor what is posted elsewhere through
        the `room` that it was given; what other callbacks post is.

        In each room the messages come one after the other, in order; rooms do not wait for each
        other. One that is not async runs in a thread; there ``asyncio.run(room.post(...))`` posts.

        Each message is handled once, in one of the processes that serve this database, unless
        that process dies in the middle of it or the function raises: then it is begun again,
        with ``message.is_repeat``. Make what must not be done twice depend on that, or give it
        an id: ``await room.post("Noted.", id=f"noted-{message.seq}")``. A function that raises
        is tried again after 0.5, 1.5 and 4.5 seconds; then the message is passed over, which the
        server's log and the room's record (kind "passed_over") say.
        """
        scope = Scope(tuple(self._part(each) for each in _several(rooms)))

        def register(fn: F) -> F:
            Runtime.of(self._log).register(scope, fn, name, self._given)
            return fn

        return register

    def add_bot(self, bot: RoomBot, rooms: str | Room | Sequence[str | Room] = "*") -> None:
        """
        Have a bot take part in some rooms, from now on and after each restart.

        It needs no page. In rooms that are made later it is a member before anybody else; in
        those that are there, when they are next used. It reacts to what is said from then on; if
        the server ends, the next one goes on with what it has not reacted to. Of several
        processes that serve this database, one at a time runs it in a room.

        Parameters
        ----------
        bot
            A :class:`Bot`; one with the same id, for the same rooms, is replaced.
        rooms
            As in :meth:`on_message`.
        """
        scope = Scope(tuple(self._part(each) for each in _several(rooms)))
        Runtime.of(self._log).add_bot(scope, bot, self._given)

    async def audit(self, study: str | None = None) -> list[AuditEntry]:
        """
        Read what bots asked models and were answered, and why they kept silent.

        Parameters
        ----------
        study
            Of which study; None: of all.

        Returns
        -------
        list of AuditEntry
            In the order in which they were begun.
        """
        return await self._log.read(lambda conn: written(conn, study))

    def _given(self, room: RoomKey, to: str) -> Room:
        return Room(self._log, room, Settings(), to)

    def _part(self, room: object) -> str | RoomKey:
        if isinstance(room, Room):
            if room.log is not self._log:
                raise ValueError(f"rooms: {room!r} is in another lab than {self!r}")
            return room.key
        if callable(room):
            raise TypeError("rooms must be rooms; decorate with @lab.on_message()")
        return as_id("rooms", room)

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
        roles = as_roles(role)
        grant = Grant(
            as_member_id(member),
            room.key if room else None,
            role=roles[0] if roles else None,
            study=study,
        )
        return await identity.invite(self._log, grant)


def _several(rooms: object) -> Sequence[object]:
    if isinstance(rooms, (str, Room)) or not isinstance(rooms, Sequence):
        return (rooms,)
    several = cast("Sequence[object]", rooms)
    if not several:
        raise ValueError("rooms must name one at least")
    return several


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
    {
        Path(__file__).parents[1],
        *(Path(sysconfig.get_path(p)) for p in ("stdlib", "purelib", "platlib")),
    }
)
