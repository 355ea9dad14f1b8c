"""
Who is here and who is typing, for one viewer in a room where not everybody hears everybody.

They are sent a frame only when there is something new in it: whatever others do whom they do not
hear, they are sent nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from shiny_labchat import protocol
from shiny_labchat.domain.membership import Membership
from shiny_labchat.live.presence import Presence

__all__ = ["Hidden", "OwnPresence"]


class Hidden(NamedTuple):
    """What a viewer is not shown by the rules of the room: who is here, or who is typing."""

    here: bool
    typing: bool


class OwnPresence:
    """
    What a viewer was last sent.

    Parameters
    ----------
    presence
        Who is here and who is typing in the room.
    shows_typists
        Whether the page may show somebody typing: it was sent what all others were.
    """

    def __init__(self, presence: Presence, *, shows_typists: bool) -> None:
        self._presence = presence
        self._here_number = self._typing_number = 0
        self._here = ""
        self._typing = "" if shows_typists else protocol.typing([])
        self._hidden = Hidden(here=False, typing=False)

    def is_due(self, hidden: Hidden) -> bool:
        """Whether there may be something new; `hidden`: what the viewer is not shown now."""
        if hidden != self._hidden:
            self._hidden = hidden
            self._here_number = self._typing_number = -1
        here, typing = self._presence.here, self._presence.typing
        return (self._here_number, self._typing_number) != (here.number, typing.number)

    def owed(
        self, viewer: Membership, heard: Collection[str], told: str | None, *, observers: bool
    ) -> list[str]:
        """
        The frames that the viewer is owed.

        Parameters
        ----------
        viewer, heard
            The viewer, and the ids of those whom they hear.
        told
            The viewer, if a bot was disclosed to them; None: to them, all are what they seem.
        observers
            Whether they are shown observers.
        """
        presence, owed = self._presence, list[str]()
        if self._here_number != presence.here.number:
            self._here_number = presence.here.number
            here = presence.shown_to(viewer.member, observers=observers)
            who = [] if self._hidden.here else [each for each in here if each.member in heard]
            frame = protocol.presence(len(who), who[: protocol.NAMES_SHOWN], told)
            if frame != self._here:
                self._here = frame
                owed.append(frame)
        if self._typing_number != presence.typing.number:
            typing = [] if self._hidden.typing else presence.typing_to(viewer)
            owed += self._owed_of_typing([each for each in typing if each.member in heard])
        return owed

    def _owed_of_typing(self, who: Sequence[Membership]) -> list[str]:
        presence, before = self._presence, self._typing_number
        self._typing_number = presence.typing.number
        frame = protocol.typing(who)
        is_again = any(presence.told_again(each.member) > before for each in who)
        if frame == self._typing and not is_again:
            return []
        self._typing = frame
        return [frame]
