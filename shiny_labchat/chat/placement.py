"""Placement: which room a page is to be in, and as whom, by the app and by bookmarks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from shiny.module import ResolvedId
from shiny.session import Session
from shiny.types import SilentException

from shiny_labchat.arguments import as_id, check_choice
from shiny_labchat.chat.bookmarks import Bookmark, Bookmarks
from shiny_labchat.chat.people import (
    Identified,
    SessionPerson,
    has_people,
    only_person,
    person_of,
)
from shiny_labchat.domain.members import Member, as_member_id, as_role
from shiny_labchat.domain.membership import Role
from shiny_labchat.domain.pseudonyms import Pseudonym, check_pseudonym
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room

__all__ = [
    "Identity",
    "MemberLike",
    "Names",
    "Placement",
    "PlacementOptions",
    "Placements",
    "RoomLike",
]

Identity = Literal["browser", "tab", "link"]
Names = Literal["room", "study"]
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
    names: Names = "room"
    show_observers: bool = False

    def __post_init__(self) -> None:
        check_choice("identity", self.identity, ("browser", "tab", "link"))
        check_choice("names", self.names, ("room", "study"))
        check_choice("join", self.join, (True, False))
        check_choice("show_observers", self.show_observers, (True, False))
        as_role("role", self.role)
        check_pseudonym(self.pseudonym)
        if self.names == "study" and self.pseudonym is not None:
            raise ValueError(
                'names="study" is for generated pseudonyms; a pseudonym= that you give is the same '
                "in each room anyway"
            )
        if self.study is not None:
            as_id("study", self.study)
        if not callable(self.member) and self.member is not None:
            as_member_id(self.member)

    def as_room(self, room: object, lab: Lab) -> Room | None:
        """
        The room that the app names; None: it names none.

        Raises
        ------
        TypeError
            It is neither a room nor an id.
        ValueError
            It is not in the given study, or its id is not valid.
        """
        if room is None:
            return None
        if isinstance(room, str):
            return lab.room(room, study=self.study)
        if not isinstance(room, Room):
            raise TypeError(
                "room must be a room's id, a Room, None, or a function that returns one of these, "
                f"not {room!r}"
            )
        if self.study not in (None, room.study):
            raise ValueError(
                f"study is {self.study!r}, but {room!r} is in another; leave study= out, as a Room "
                "has its own"
            )
        return room


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
    names: Names = "room"
    show_observers: bool = False
    bookmark: Bookmark | None = None
    person: Identified | None = None
    """The person of the room's study in front of the page; None: the app has no such study."""


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
        options, room = self._options, self.room()
        person = None if room is None else person_of(self._session, room.log, room.study)
        return Placement(
            room,
            self._member(),
            options.pseudonym,
            options.role,
            options.join,
            options.identity,
            options.names,
            options.show_observers,
            self._bookmarks.brought(),
            None if person is None else person.identified,
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
        return self._options.as_room(wanted, self._lab)

    def person(self) -> SessionPerson | None:
        """The person of the chat's study in front of the page; None: the app has no such study."""
        if not has_people(self._session):  # the app's function need not be asked for the room
            return None
        room = self.room()
        if room is not None:
            return person_of(self._session, room.log, room.study)
        if self._options.study is not None:
            return person_of(self._session, self._lab.log, self._options.study)
        return only_person(self._session)

    def _member(self) -> tuple[bool, str | None]:
        wanted = self._options.member
        if wanted is None:
            return False, None
        if callable(wanted):
            wanted = wanted()
        return True, None if wanted is None else as_member_id(wanted)
