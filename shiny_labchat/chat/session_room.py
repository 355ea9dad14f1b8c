"""A session's hold on a live room: what it reads there, and what waits until there is one."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

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
}
"""What is to be read again after which kinds of events."""


class SessionRoom:
    """
    Holds one room at a time open for one chat of one session.

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
        self._waiting: list[Callable[[], Awaitable[None]]] = []

    @property
    def is_awaited(self) -> bool:
        """Whether something waits for a room."""
        return bool(self._waiting)

    def follow(self, live: LiveRoom) -> None:
        """Hold a room, which is left again in time, in the place of the one before."""
        self.stop_following()
        if live is self.live:
            live.leave()  # it is held already
        else:
            self.leave()
            for dep in live.deps:
                shiny_internals.remount(self._session, dep)
        self.live = live
        if self._reads.are_any:
            self._unfollow = live.follow(self._read_again)

    def stop_following(self) -> None:
        """Read nothing again from now on; the room is still held."""
        if self._unfollow is not None:
            self._unfollow()
            self._unfollow = None

    def leave(self) -> None:
        """Hold no room."""
        self.stop_following()
        if self.live is not None:
            self.live.leave()
            self.live = None

    # ── what waits for a room ──

    async def once(self, action: Callable[[], Awaitable[None]]) -> None:
        """Do something now, or as soon as there is a room, after what waits already."""
        if self.live is not None and not self._waiting:
            await action()
        else:
            self._waiting.append(action)

    async def do_what_waits(self) -> None:
        """Do what has waited for a room."""
        while self._waiting:
            try:
                await self._waiting[0]()
            except Exception:  # or the page would never be let in
                logger.exception("what had waited for a room could not be done")
            del self._waiting[0]

    # ── reading ──

    def depend(self, topic: str) -> None:
        """Have the running reactive function run again when `topic` changes."""
        is_first = not self._reads.are_any
        self._reads.depend(topic)
        if is_first and self.live is not None:
            self._unfollow = self.live.follow(self._read_again)

    def changed(self, *topics: str) -> None:
        """Have read again what depends on these topics; none given: on any of the room's."""
        if not self._session._is_closed():  # pyright: ignore[reportPrivateUsage]
            self._reads.changed(topics or _TOPICS)

    def _read_again(self, events: Sequence[Event]) -> None:
        kinds = {event.kind for event in events}
        if topics := [topic for topic, on in _TOPICS.items() if kinds & on]:
            self.changed(*topics)

    async def read_whole(self) -> None:
        """Have the whole room in memory."""
        if self.live is not None:
            await self.live.read_whole()

    def messages_for(self, member: str | None, upto: int | None = None) -> tuple[Message, ...]:
        """What a member may see of the room, up to a seq (None: all); others see nothing."""
        live = self.live
        viewer = live.state.membership(member) if live else None
        if live is None or viewer is None:
            return ()
        return live.conversation(viewer, live.state.seq if upto is None else upto)
