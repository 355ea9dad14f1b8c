"""What the pages of a room say of their persons, until it is stored."""

from __future__ import annotations

from typing import Protocol

from shiny_labchat.domain.presence import Signs, all_signs

__all__ = ["Asked", "RoomSigns"]


class Asked(Protocol):
    """A page that is asked whether it is alive."""

    @property
    def member(self) -> str:
        """The member whose page it is."""
        ...

    def ping(self) -> None:
        """Ask it; it answers, if it is alive, whenever it can."""
        ...


class RoomSigns:
    """
    The pages of a room, and what they have answered.

    Times are the event loop's, in microseconds.

    Attributes
    ----------
    is_asking
        Whether its pages are asked; if not, what they say is not kept.
    """

    def __init__(self) -> None:
        self.is_asking = False
        self._pages: dict[Asked, None] = {}
        self._fresh: dict[str, Signs] = {}

    def come(self, page: Asked) -> None:
        """Ask a page from now on."""
        self._pages[page] = None
        if self.is_asking:
            page.ping()

    def go(self, page: Asked) -> None:
        """Ask a page no more."""
        self._pages.pop(page, None)

    @property
    def members(self) -> set[str]:
        """The members who have pages here."""
        return {page.member for page in self._pages}

    def ask(self) -> None:
        """Ask all pages."""
        for page in tuple(self._pages):
            page.ping()

    def note(self, member: str, signs: Signs) -> None:
        """Note what a page of a member has said."""
        if self.is_asking:
            self._fresh[member] = all_signs((self._fresh.get(member, Signs()), signs))

    def withdraw(self, member: str) -> None:
        """Forget what was said of somebody whose data was withdrawn."""
        self._fresh.pop(member, None)

    def take(self) -> dict[str, Signs]:
        """What was said since the last time, by member."""
        fresh, self._fresh = self._fresh, {}
        return fresh
