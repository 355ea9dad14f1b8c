"""Placement: which room a page is to be in, and as whom, by the app and by bookmarks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from shiny.module import ResolvedId
from shiny.session import Session
from shiny.types import SilentException

from shiny_labchat.chat.bookmarks import Bookmark, Bookmarks
from shiny_labchat.domain.members import Member, as_member_id
from shiny_labchat.domain.pseudonyms import Pseudonym
from shiny_labchat.domain.state import Role
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room

__all__ = ["Identity", "MemberLike", "Placement", "PlacementOptions", "Placements", "RoomLike"]

Identity = Literal["browser", "tab", "link"]
RoomLike = str | Room | None
MemberLike = str | Member | None


@dataclass(frozen=True, slots=True)
class PlacementOptions:
    """The app's settings for a page's room and person, see :class:`Chat`."""

    room: RoomLike | Callable[[], RoomLike]
    study: str | None
    member: MemberLike | Callable[[], MemberLike]
    identity: Identity
    pseudonym: Pseudonym
    role: Role | None
    join: bool

    def __post_init__(self) -> None:
        if self.identity not in ("browser", "tab", "link"):
            raise ValueError(f'identity must be "browser", "tab" or "link", not {self.identity!r}')


@dataclass(frozen=True, slots=True)
class Placement:
    """The room that a page is to be in now, and the person that it is to be."""

    room: Room | None
    member: tuple[bool, str | None]
    """Whether the app says who the person is, and the member id (None: not known yet)."""
    pseudonym: Pseudonym
    role: Role | None
    join: bool
    identity: Identity
    bookmark: Bookmark | None = None


class Placements:
    """
    The placement of one chat's page; reactive if the app gives functions.

    Parameters
    ----------
    session, chat
        The session, and the chat's id.
    lab
        The lab of rooms that are given by their ids.
    options
        The app's settings.
    bookmarks
        The bookmark in the page's address, used if the app names no room.
    """

    def __init__(
        self,
        session: Session,
        chat: ResolvedId,
        lab: Lab,
        options: PlacementOptions,
        bookmarks: Bookmarks,
    ) -> None:
        self._session = session
        self._chat = chat
        self._lab = lab
        self._options = options
        self._bookmarks = bookmarks
        if not callable(options.room):
            self.room()  # a wrong id is an error here, not for each visitor

    def now(self) -> Placement:
        """The placement as it is now."""
        options = self._options
        return Placement(
            self.room(),
            self._member(),
            options.pseudonym,
            options.role,
            options.join,
            options.identity,
            self._bookmarks.brought(),
        )

    def room(self) -> Room | None:
        """The room; None: there is none yet."""
        wanted = self._options.room
        if callable(wanted):
            if self._session.is_stub_session():
                return None
            try:
                wanted = wanted()
            except SilentException:  # the app's function calls req(): there is no room yet
                wanted = None
            if wanted is not None:
                self._bookmarks.name_room()
        if wanted is None:
            is_asked = callable(self._options.room)
            wanted = self._bookmarks.room_otherwise(None if is_asked else str(self._chat))
        if isinstance(wanted, str):
            return self._lab.room(wanted, study=self._options.study)
        return wanted

    def _member(self) -> tuple[bool, str | None]:
        wanted = self._options.member
        if wanted is None:
            return False, None
        if callable(wanted):
            wanted = wanted()
        return True, None if wanted is None else as_member_id(wanted)
