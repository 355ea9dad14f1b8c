"""The live room of a session: reactive reads of it, and actions that wait for it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence

from shiny.session import Session

from shiny_labchat.chat import shiny_internals
from shiny_labchat.chat.reactive import ReactiveReads
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import Message
from shiny_labchat.live.room import LiveRoom

__all__ = ["SessionRoom"]

logger = logging.getLogger("shiny_labchat")

_TOPICS = {
    "messages": {"message", "streamed", "cleared", "removed"},
    "members": {"joined", "changed", "removed", "disclosed"},
    "state": {"opened", "closed", "joined", "removed"},
    "here": {"changed", "removed", "disclosed"},
}
"""The topics, and the kinds of events after which each is read again."""


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
        self._here_number = 0
        self._waiting: list[Callable[[], Awaitable[None]]] = []

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
        if topics := [topic for topic, on in _TOPICS.items() if kinds & on]:
            self.changed(*topics)

    def _note_presence(self) -> None:
        here = self.live.presence.here.number if self.live is not None else 0
        if here != self._here_number:  # it is also called when somebody types
            self._here_number = here
            self.changed("here")

    async def read_whole(self) -> None:
        """Load the whole room into memory."""
        if self.live is not None:
            await self.live.read_whole()

    def messages_for(
        self, member: str | None, upto: int | None = None, also: Collection[int] = ()
    ) -> tuple[Message, ...]:
        """
        The messages that a member sees, up to a seq (None: all); empty for others.

        `also` are the seqs of later messages to include.
        """
        live = self.live
        viewer = live.state.membership(member) if live else None
        if live is None or viewer is None:
            return ()
        return live.conversation(viewer, live.state.seq if upto is None else upto, also)
