"""The live room of a session: reactive reads of it, and actions that wait for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextvars import Context
from weakref import WeakKeyDictionary, WeakSet

from shiny.session import Session
from shiny.types import SilentException

from shiny_labchat.chat import shiny_internals
from shiny_labchat.chat.reactive import ReactiveReads
from shiny_labchat.chat.waiting import can_wait, wait
from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.clock import CLOCK_KINDS
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import Message, Wording
from shiny_labchat.domain.shares import places_in, shares_of, speakers_in
from shiny_labchat.live.conversation import Conversation
from shiny_labchat.live.room import LiveRoom

__all__ = ["SessionRoom", "may_have_to_wait"]

logger = logging.getLogger("shiny_labchat")

FAILED_FOR = 1.0
"""How long those who read a room are told that it could not be read, in seconds; then it is tried
again when they ask."""

_TOPICS = {
    "messages": {"message", "streamed", "cleared", "removed", "retracted", "withdrawn"},
    "members": {"joined", "changed", "removed", "disclosed", "closed", "opened", "withdrawn"},
    "state": {
        *("closed", "configured", "done", "grouped", "hours", "joined", "removed", "withdrawn"),
        *CLOCK_KINDS,
    },
    "gate": {"changed", "configured", "joined", "message", "opened", "started"},
    "turn": {
        *("changed", "closed", "configured", "disclosed", "done", "joined", "opened", "removed"),
        *("started", "turn", "withdrawn"),
    },
    "shares": {
        *("message", "retracted", "streamed", "withdrawn"),
        *("joined", "changed", "removed", "disclosed"),
    },
    "deadline": {"closed", "configured", *CLOCK_KINDS},
    "here": {"changed", "removed", "disclosed", "withdrawn"},
}
"""The topics, and the kinds of events after which each is read again."""
_CONNECTING = ("connected", "disconnected")
"""The kinds of events after which somebody hears others than before."""


class SessionRoom:
    """
    Keeps one live room at a time open for one chat of one session.

    Parameters
    ----------
    session
        The session.

    Attributes
    ----------
    live
        The live room; None before there is one.
    """

    def __init__(self, session: Session) -> None:
        self.live: LiveRoom | None = None
        self._session = session
        self._reads = ReactiveReads(session)
        self._unfollow: Callable[[], None] | None = None
        self._whole: Conversation | None = None
        self._reading: LiveRoom | None = None
        self._failure: tuple[float, Exception] | None = None
        self._tasks = Tasks("reads of rooms")
        self._here_version = 0
        self._waiting: list[Callable[[], Awaitable[None]]] = []
        _rooms.setdefault(session.root_scope(), WeakSet()).add(self)

    @property
    def is_awaited(self) -> bool:
        """Whether actions wait for a room."""
        return bool(self._waiting)

    def follow(self, live: LiveRoom) -> None:
        """Take over a live room in place of the earlier one; `leave` leaves it."""
        self.stop_following()
        if live is self.live:
            live.leave()  # this session has it open already
        else:
            self.leave()
            for dep in live.deps:
                shiny_internals.remount(self._session, dep)
        self.live = live
        if self._reads.are_any:
            self._begin_to_follow(live)

    def _begin_to_follow(self, live: LiveRoom) -> None:
        ends = live.follow(self._read_again), live.presence.follow(self._note_presence)
        self._here_version = live.presence.version

        def unfollow() -> None:
            for end in ends:
                end()

        self._unfollow = unfollow

    def stop_following(self) -> None:
        """Stop reading again after events; the room stays open."""
        if self._unfollow is not None:
            self._unfollow()
            self._unfollow = None

    def leave(self) -> None:
        """Leave the room."""
        self.stop_following()
        self._whole = None
        if self.live is not None:
            self.live.leave()
            self.live = None

    # ── what waits for a room ──

    async def once(self, action: Callable[[], Awaitable[None]]) -> None:
        """Run an action now, or once there is a room, after those that wait already."""
        if self.live is not None and not self._waiting:
            await action()
        else:
            self.wait(action)

    def wait(self, action: Callable[[], Awaitable[None]]) -> None:
        """Run an action when `do_what_waits` is called."""
        self._waiting.append(action)

    async def do_what_waits(self) -> None:
        """Run the actions that have waited for a room."""
        while self._waiting:
            try:
                await self._waiting[0]()
            except Exception:  # must not prevent the admission of the page
                logger.exception(
                    "room %r: an action that waited for the room failed; it is not tried again",
                    self.live and self.live.key.id,
                )
            del self._waiting[0]

    # ── reading ──

    def depend(self, topic: str) -> None:
        """Run the current reactive function again when `topic` changes."""
        is_first = not self._reads.are_any
        self._reads.depend(topic)
        if is_first and self.live is not None:
            self._begin_to_follow(self.live)

    def changed(self, *topics: str) -> None:
        """Run again the readers of these topics; none given: of all topics of the room."""
        if not self._session._is_closed():  # pyright: ignore[reportPrivateUsage]
            self._reads.changed(topics or _TOPICS)

    def _read_again(self, events: Sequence[Event]) -> None:
        kinds = {event.kind for event in events}
        topics = [topic for topic, on in _TOPICS.items() if kinds & on]
        if self.live is not None and self._may_hear_others(self.live, events):
            topics += ["members", "here", "shares"]
        if topics:
            self.changed(*topics)

    def _may_hear_others(self, live: LiveRoom, events: Sequence[Event]) -> bool:
        """Whether its person may hear, and be shown, others than before some events."""
        if any(event.kind in _CONNECTING or "network" in event.data for event in events):
            return True
        is_full = live.state.network.is_full
        return not is_full and any(event.kind in ("changed", "joined") for event in events)

    def _note_presence(self) -> None:
        version = self.live.presence.version if self.live is not None else 0
        if version != self._here_version:  # it is also called when somebody types
            self._here_version = version
            self.changed("here")

    async def read_whole(self) -> None:
        """Read the whole room, if it is not in memory."""
        live = self.live
        if live is not None and self._known is None:
            self._keep(live, await live.read())

    def messages_for(
        self,
        member: str | None,
        upto: int | None = None,
        also: Collection[int] = (),
        wording: Wording | None = None,
        *,
        private: bool = True,
        among: Sequence[str] = (),
    ) -> tuple[Message, ...]:
        """
        The messages that a member sees, see :meth:`Conversation.seen`; empty for others.

        A reactive function that reads a room which is not in memory stops, as with `req()`, and
        runs again when it is. All others wait: handlers while the event loop goes on, functions in
        a thread for themselves. Where neither is possible, the event loop waits.

        Raises
        ------
        SilentException
            The room is being read.
        StoreError
            The room could not be read.
        """
        live = self.live
        if live is None or live.state.membership(member) is None:
            return ()
        whole = self._whole_of(live)
        viewer = live.state.membership(member)  # they may have been removed meanwhile
        if viewer is None:
            return ()
        upto = live.state.seq if upto is None else upto
        hearing = live.state.hearing
        readers = [hearing.same_place(each) for each in among if each in hearing.memberships]
        said = whole.seen(live.state, viewer, upto, also, wording, private=private, readers=readers)
        after = 0 if private else live.state.told_after(among or None)  # what all may read
        return tuple(message for message in said if message.seq > after) if after else said

    def shares(self, member: str | None) -> dict[str, float]:
        """
        By those whom a member hears, how much they have written; read as `messages_for` reads.

        Who is no member hears what is said to everybody.
        """
        live = self.live
        if live is None:
            return {}
        whole, hearing = self._whole_of(live), live.state.hearing
        speakers, places = speakers_in(live.state), places_in(live.state)
        viewer = live.state.membership(member)
        if live.state.network.is_full or viewer is None:
            return shares_of(whole.public(0), speakers, places)
        reader = hearing.same_place(viewer.member)
        said = whole.common(0, [] if viewer.hears_all else [reader])
        heard = [each for each in speakers if hearing.hears(viewer.member, each)]
        return shares_of(said, heard, places)

    @property
    def _known(self) -> Conversation | None:
        """The messages that were read, unless some have become others since."""
        whole = self._whole
        return None if whole is None or whole.is_outdated else whole

    def _whole_of(self, live: LiveRoom) -> Conversation:
        known = self._known or live.conversation()
        if known is None and shiny_internals.runs_again():
            self._read_soon(live)
            raise SilentException
        if known is None:
            known = wait(live.read()) if can_wait() else live.read_now()
        self._keep(live, known)
        return known

    @property
    def may_have_to_wait(self) -> bool:
        """Whether reading the room now would have to wait for it."""
        live = self.live
        return live is not None and self._known is None and not live.is_in_memory

    def _keep(self, live: LiveRoom, whole: Conversation) -> None:
        if live is self.live:
            self._whole = whole

    def _read_soon(self, live: LiveRoom) -> None:
        if self._failure is not None and time.monotonic() < self._failure[0] + FAILED_FOR:
            raise self._failure[1]
        if self._reading is not live:
            self._reading = live
            self._tasks.spawn(self._read(live), context=Context())

    async def _read(self, live: LiveRoom) -> None:
        try:
            self._keep(live, await live.read())
        except Exception as exc:
            self._failure = time.monotonic(), exc
        if self._reading is live:
            self._reading = None
        self.changed("messages", "shares")


def may_have_to_wait(session: Session) -> bool:
    """Whether reading one of the rooms of a session, which is no module's, would have to wait."""
    return any(room.may_have_to_wait for room in _rooms.get(session, ()))


_rooms: WeakKeyDictionary[Session, WeakSet[SessionRoom]] = WeakKeyDictionary()
"""By session, the rooms of its chats."""
