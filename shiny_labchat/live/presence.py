"""
Who is here and who is typing: sent at most a few times per second, and never logged.

Followers have no queue for this. Each frame has a number; a follower that has an older number is
owed only the newest frame.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from shiny_labchat import protocol
from shiny_labchat.domain.state import Membership

__all__ = ["TYPING_TTL", "Here", "Presence", "ThrottledFrame"]

T = TypeVar("T")

PRESENCE_EVERY = 0.5
"""Shortest time between two presence frames of a room, in seconds."""
TYPING_PAUSE = 0.3
"""Shortest time between two typing frames of a room, in seconds."""
TYPING_TTL = 2 * protocol.TYPING_EVERY
"""How long someone counts as typing after they last said so, in seconds."""


class Here(NamedTuple):
    """The frames of who has a room open, for viewers to whom no bot was disclosed."""

    all: str
    without_observers: str


class ThrottledFrame(Generic[T]):
    """
    A frame that is made again after changes, but at most once in `every` seconds.

    Parameters
    ----------
    make
        Makes the frame, or several for different viewers.
    every
        Shortest time between two frames, in seconds.
    tell
        Called when there is a new frame.
    """

    def __init__(self, make: Callable[[], T], every: float, tell: Callable[[], None]) -> None:
        self.number = 0
        self.frame: T | None = None
        self._make = make
        self._every = every
        self._tell = tell
        self._last = float("-inf")
        self._must_tell = False
        self._timer: asyncio.TimerHandle | None = None

    def changed(self, *, must_tell: bool = False) -> None:
        """
        Make the frame again soon.

        Parameters
        ----------
        must_tell
            Send the frame even if it equals the last one: pages may show something else by now.
        """
        self._must_tell = self._must_tell or must_tell
        if self._timer is None:
            loop = asyncio.get_running_loop()
            due = max(loop.time(), self._last + self._every)
            self._timer = loop.call_at(due, self._renew)

    def _renew(self) -> None:
        self._timer = None
        self._last = asyncio.get_running_loop().time()
        frame = self._make()
        if frame != self.frame or self._must_tell:
            self._must_tell = False
            self.frame = frame
            self.number += 1
            self._tell()


class Presence:
    """
    Who has a room open, and who is typing in it.

    Parameters
    ----------
    memberships
        Returns the memberships for member ids, leaving out removed members.
    bots
        Returns the memberships of bots, who are always here.
    """

    def __init__(
        self,
        memberships: Callable[[Sequence[str]], list[Membership]],
        bots: Callable[[], list[Membership]] = list,
    ) -> None:
        self._memberships = memberships
        self._bots = bots
        self.here = ThrottledFrame(self._frames, PRESENCE_EVERY, self._tell)
        self.typing = ThrottledFrame(
            lambda: protocol.typing(memberships(list(self._typing))), TYPING_PAUSE, self._tell
        )
        self._here: Counter[str] = Counter()
        self._typing: dict[str, asyncio.TimerHandle] = {}
        self._have_sent: set[str] = set()
        self._followers: set[Callable[[], None]] = set()

    def present(self, viewer: str | None = None, *, observers: bool = True) -> list[Membership]:
        """
        Who has the room open, as a viewer is shown it, with or without observers but themselves.

        They are in the order of handles, which are random. Bots are always here; if they always
        came first, everybody could tell who is a bot.
        """
        here = {
            membership.handle: membership
            for membership in (*self._memberships(list(self._here)), *self._bots())
            if observers or not membership.is_hidden_from(viewer)
        }
        return [here[handle] for handle in sorted(here)]

    def frame_for(self, viewer: str, *, observers: bool) -> str:
        """The presence frame for a viewer to whom a bot was disclosed."""
        return protocol.presence(self.present(viewer, observers=observers), viewer)

    def _frames(self) -> Here:
        whole, shown = self.present(), self.present(observers=False)
        frame = protocol.presence(whole)
        return Here(frame, frame if len(shown) == len(whole) else protocol.presence(shown))

    def follow(self, follower: Callable[[], None]) -> Callable[[], None]:
        """Call `follower` when there is a new frame; return a function that ends this."""
        self._followers.add(follower)
        return lambda: self._followers.discard(follower)

    def _tell(self) -> None:
        for follower in tuple(self._followers):
            follower()

    def come(self, member: str) -> None:
        """Note that a browser of the member has opened the room."""
        self._here[member] += 1
        self.here.changed()

    def go(self, member: str) -> None:
        """Note that a browser of the member has left the room."""
        self._here[member] -= 1
        if self._here[member] <= 0:
            del self._here[member]
            self.stop_typing(member)
        self.here.changed()

    def rename(self) -> None:
        """Note that a name or a role has changed, or that a member was removed."""
        self.here.changed()

    def type(self, member: str) -> None:
        """Note that the member is typing."""
        self._have_sent.discard(member)
        before = self._typing.pop(member, None)
        if before is not None:
            before.cancel()
        loop = asyncio.get_running_loop()
        self._typing[member] = loop.call_later(TYPING_TTL, self.stop_typing, member)
        if before is None:
            self.typing.changed()

    def send(self, member: str) -> None:
        """Note that the member has sent what they were typing; it is to be stored yet."""
        if member in self._typing:
            self._have_sent.add(member)

    def said(self, member: str) -> None:
        """
        Note that a message of the member was stored.

        They count as typing on if they have typed since they sent it.
        """
        if member in self._have_sent:
            self.stop_typing(member)
        elif member in self._typing:
            # Pages stop showing the author of a new message by themselves.
            self.typing.changed(must_tell=True)

    def stop_typing(self, member: str) -> None:
        """Note that the member is not typing any more."""
        self._have_sent.discard(member)
        timer = self._typing.pop(member, None)
        if timer is not None:
            timer.cancel()
            # Whoever types again before the frame is made is in it as before, but not in the pages.
            self.typing.changed(must_tell=True)
