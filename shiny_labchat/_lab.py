"""A lab, for programmes: no page and no Shiny in it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from shiny_labchat import _door
from shiny_labchat._domain import Role, RoomKey, Rules
from shiny_labchat._names import app_folder, as_id, as_member_id, as_roles
from shiny_labchat._room import Room, Settings
from shiny_labchat.store import Grant, Log, find_room, open_log, rooms

__all__ = ["Lab"]


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
        return await _door.invite(self._log, grant)
