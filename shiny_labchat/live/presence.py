"""
Who is here and who is typing: sent at most a few times per second, and never logged.

Followers have no queue for this. Each frame has a number; a follower that has an older number is
owed only the newest frame.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Generic, NamedTuple, TypeVar

from shiny_labchat import protocol
from shiny_labchat.domain.membership import Membership
from shiny_labchat.live.roster import Roster

__all__ = ["TYPING_TTL", "Here", "Presence", "Seen", "Shown", "ThrottledFrame"]

T = TypeVar("T")

PRESENCE_EVERY = 0.5
"""Shortest time between two presence frames of a room, in seconds."""
TYPING_PAUSE = 0.3
"""Shortest time between two typing frames of a room, in seconds."""
TYPING_TTL = 2 * protocol.TYPING_EVERY
"""How long someone counts as typing after they last said so, in seconds."""


class Shown(NamedTuple):
    """
    Who is here, as viewers to whom no bot was disclosed are shown it.

    Parameters
    ----------
    number, who
        How many are here, and those who are named.
    came, went
        What has changed since the frame before: new or changed memberships, and handles.
    frame, change
        Both as frames; `change` is "" if nothing has changed.
    """

    number: int
    who: Sequence[Membership]
    came: Sequence[Membership]
    went: Sequence[str]
    frame: str
    change: str


class Here(NamedTuple):
    """Who is here, with observers and without them."""

    all: Shown
    without_observers: Shown


class Seen(NamedTuple):
    """
    What a viewer was last sent of who is here.

    Parameters
    ----------
    number
        The number of the frame.
    viewer, observers
        As which viewer it was made for, see `Presence.owed`.
    """

    number: int
    viewer: str | None
    observers: bool


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
        Returns the memberships of bots, who are always here; one that goes on in somebody's place
        is so from a time on that its membership has.
    now
        Returns the time, in seconds since 1970 (UTC).

    Attributes
    ----------
    here, typing
        The frames of who is here, and of who is typing.
    version
        Another number whenever :meth:`present` may give somebody else than before.
    on_own_change
        Called when somebody comes or goes in this process.
    on_typing
        Called with each member who says in this process that they are typing, and those who are
        to see it, see `type`.
    """

    def __init__(
        self,
        memberships: Callable[[Sequence[str]], list[Membership]],
        bots: Callable[[], list[Membership]] = list,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._memberships = memberships
        self._bots = bots
        self._now = now
        self.here = ThrottledFrame(self._frames, PRESENCE_EVERY, self._tell)
        self.typing = ThrottledFrame(
            lambda: protocol.typing(memberships(list(self._typing))), TYPING_PAUSE, self._tell
        )
        self.version = 0
        self.on_own_change: Callable[[], None] = _nothing
        self.on_typing: Callable[[str, Collection[str] | None], None] = _nobody
        self._own: Counter[str] = Counter()
        self._here: Counter[str] = Counter()
        self._roster = Roster()
        self._stale: set[str] = set()
        self._is_new = True
        self._is_ahead = False
        self._is_related = False
        self._typing: dict[str, asyncio.TimerHandle] = {}
        self._typing_elsewhere: set[str] = set()
        self._have_sent: set[str] = set()
        self._typing_to: dict[str, Collection[str] | None] = {}
        self._told_again: dict[str, int] = {}
        self._followers: set[Callable[[], None]] = set()

    def present(self, viewer: str | None = None, *, observers: bool = True) -> list[Membership]:
        """
        Who has the room open, as a viewer is shown it, with or without other observers.

        It may be newer than the last frame. Even if all is again as in that frame when the next one
        is made, followers are told then, as whoever has read this must read it again.
        """
        if self._is_new or self._stale:
            self._update()
            self._is_ahead = True
            self.here.changed()
        return [each for each in self._roster if observers or not each.is_hidden_from(viewer)]

    def owed(
        self, seen: Seen | None, viewer: str | None, *, observers: bool
    ) -> tuple[list[str], Seen | None]:
        """
        The frames that a viewer is owed of who is here, and what they have seen then.

        Parameters
        ----------
        seen
            What they were last sent; None: nothing, or it is not shown any more.
        viewer
            The viewer, if a bot was disclosed to them; None: to them, all are what they seem.
        observers
            Whether they are shown observers.
        """
        here = self.here.frame
        if here is None:
            return [], seen
        now = Seen(self.here.number, viewer, observers)
        if seen == now:
            return [], seen
        shown = here.all if observers else here.without_observers
        if seen != now._replace(number=now.number - 1):
            return [shown.frame if viewer is None else self._whole_for(viewer, observers)], now
        change = shown.change if viewer is None else _change(shown, viewer)
        return ([change] if shown.change else []), now

    def _whole_for(self, viewer: str, observers: bool) -> str:
        """All who are here, as they are shown now to a viewer to whom a bot was disclosed."""
        self._update()
        number = self._roster.number(observers=observers)
        who = self._roster.first(protocol.NAMES_SHOWN, observers=observers)
        return protocol.presence(number, who, viewer)

    def _frames(self) -> Here:
        self._update()
        before = self.here.frame
        here = Here(
            self._shown(None if before is None else before.all, observers=True),
            self._shown(None if before is None else before.without_observers, observers=False),
        )
        is_same = before is not None and not (here.all.change or here.without_observers.change)
        if is_same and self._is_ahead:
            asyncio.get_running_loop().call_soon(self._tell)
        self.version += self._is_ahead or not is_same
        is_related, self._is_ahead, self._is_related = self._is_related, False, False
        if not is_same or before is None:
            return here
        # It has another number then: who has the one before is not told its change once more.
        return Here(*(each._replace(change="") for each in before)) if is_related else before

    def _shown(self, before: Shown | None, *, observers: bool) -> Shown:
        number = self._roster.number(observers=observers)
        who = self._roster.first(protocol.NAMES_SHOWN, observers=observers)
        known = {each.handle: protocol.person(each) for each in before.who} if before else {}
        came = [each for each in who if known.pop(each.handle, None) != protocol.person(each)]
        went = sorted(known.keys() - {each.handle for each in who})
        shown = Shown(number, who, came, went, "", "")
        is_same = before is not None and not (came or went or number != before.number)
        change = "" if is_same else _change(shown, None)
        return shown._replace(frame=protocol.presence(number, who), change=change)

    def _update(self) -> None:
        """Bring the roster up to date with what has changed."""
        if self._is_new:
            bots = (bot.member for bot in self._bots())
            self._stale.update(self._here, self._roster.members(), bots)
            self._is_new = False
        for member in self._stale:
            membership = next(iter(self._memberships([member])), None)
            is_here = membership is not None and (
                member in self._here or (membership.is_bot and self._has_returned(membership))
            )
            self._roster.update(member, membership if is_here else None)
        self._stale.clear()

    def _has_returned(self, bot: Membership) -> bool:
        """Whether a bot is here; if it is not yet, look again when it is to be."""
        left = bot.returns / 1e6 - self._now()
        if left > 0:
            asyncio.get_running_loop().call_later(left, self.rename, bot.member)
        return left <= 0

    # ── one viewer, who is shown only some of them ──

    def shown_to(self, viewer: str | None, *, observers: bool) -> list[Membership]:
        """Who is here, as `present`, for a frame of one viewer's own."""
        self._update()
        return [each for each in self._roster if observers or not each.is_hidden_from(viewer)]

    def typing_to(self, viewer: Membership) -> list[Membership]:
        """Who is typing what a viewer may see, if they hear who it is."""
        shown = [
            member
            for member in self._typing
            if (to := self._typing_to.get(member)) is None
            or viewer.hears_all
            or viewer.member in to
        ]
        return self._memberships(shown)

    def told_again(self, member: str) -> int:
        """The number of the typing frame in which pages were last told anew of a member."""
        return self._told_again.get(member, 0)

    def relate(self) -> None:
        """Note that other members than before may be shown to somebody."""
        self._is_related = True
        self.here.changed(must_tell=True)
        self.typing.changed(must_tell=True)

    def follow(self, follower: Callable[[], None]) -> Callable[[], None]:
        """Call `follower` when there is a new frame; return a function that ends this."""
        self._followers.add(follower)
        return lambda: self._followers.discard(follower)

    def _tell(self) -> None:
        for follower in tuple(self._followers):
            follower()

    @property
    def own(self) -> list[str]:
        """The members who have the room open in this process."""
        return [*self._own]

    def come(self, member: str) -> None:
        """Note that a browser of the member has opened the room."""
        self._own[member] += 1
        self.come_elsewhere(member)
        self.on_own_change()

    def go(self, member: str) -> None:
        """Note that a browser of the member has left the room."""
        self._own[member] -= 1
        if self._own[member] <= 0:
            del self._own[member]
        self.go_elsewhere(member)
        self.on_own_change()

    def come_elsewhere(self, member: str) -> None:
        """Note that the member has the room open in one more process, or browser."""
        self._here[member] += 1
        self.rename(member)

    def go_elsewhere(self, member: str) -> None:
        """Undo one `come_elsewhere`."""
        self._here[member] -= 1
        if self._here[member] <= 0:
            del self._here[member]
            self.stop_typing(member)
        self.rename(member)

    def rename(self, member: str) -> None:
        """Note that a member's name or role has changed, or that they were removed."""
        self._stale.add(member)
        self.here.changed()

    def join(self, member: str) -> None:
        """Note that somebody is a member now, whom another process may have said to be here."""
        if member in self._here:
            self.rename(member)

    def begin_again(self) -> None:
        """Note that all members may have changed."""
        self._is_new = True
        self.here.changed()

    def withdraw(self, member: str) -> None:
        """Note that somebody's data was withdrawn, with their name."""
        self.stop_typing(member)
        self.rename(member)

    def type(
        self, member: str, *, elsewhere: bool = False, to: Collection[str] | None = None
    ) -> None:
        """
        Note that the member is typing, here or in another process.

        `to`: in a room with a network, the only ones of those who hear them who are to see it.
        """
        self._have_sent.discard(member)
        (self._typing_elsewhere.add if elsewhere else self._typing_elsewhere.discard)(member)
        if not elsewhere:
            self.on_typing(member, to)
        was_to, self._typing_to[member] = self._typing_to.get(member), to
        before = self._typing.pop(member, None)
        if before is not None:
            before.cancel()
        loop = asyncio.get_running_loop()
        self._typing[member] = loop.call_later(TYPING_TTL, self.stop_typing, member)
        if before is None or was_to != to:
            self.typing.changed(must_tell=before is not None)

    def send(self, member: str) -> None:
        """Note that the member has sent what they were typing; it is to be stored yet."""
        if member in self._typing:
            self._have_sent.add(member)

    def said(self, member: str) -> None:
        """
        Note that a message of the member was stored.

        They count as typing on if they have typed since they sent it. Of another process it is not
        known when they have sent it.
        """
        if member in self._have_sent or member in self._typing_elsewhere:
            self.stop_typing(member)
        elif member in self._typing:
            # Pages stop showing the author of a new message by themselves.
            self._tell_again(member)

    def stop_typing(self, member: str) -> None:
        """Note that the member is not typing any more."""
        self._have_sent.discard(member)
        self._typing_elsewhere.discard(member)
        self._typing_to.pop(member, None)
        timer = self._typing.pop(member, None)
        if timer is not None:
            timer.cancel()
            # Whoever types again before the frame is made is in it as before, but not in the pages.
            self._tell_again(member)

    def _tell_again(self, member: str) -> None:
        self._told_again[member] = self.typing.number + 1
        self.typing.changed(must_tell=True)


def _nothing(*of: str) -> None:
    """What is called while no other process is told."""


def _nobody(member: str, to: Collection[str] | None) -> None:
    """What is called while no other process is told who types."""


def _change(shown: Shown, viewer: str | None) -> str:
    return protocol.here(shown.number, shown.came, shown.went, viewer)
