"""A session's hold on a live room: what it hears there, reads of it, and has to do about it."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

import sqlalchemy as sa
from shiny.session import Session

from shiny_labchat.chat import shiny_internals
from shiny_labchat.chat.handlers import Handlers
from shiny_labchat.chat.page import LostSession
from shiny_labchat.chat.reactive import ReactiveReads
from shiny_labchat.chat.transforms import Transforms
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import Message, message_of
from shiny_labchat.lab.room import Room
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.store import find_room, submitted

__all__ = ["SessionRoom"]

logger = logging.getLogger("shiny_labchat")

PAGES = 10_000
"""Pages whose last handled event is remembered, for a session that comes back."""

MAX_EVENTS_RECALLED = 10_000
"""Events of a room that are looked through, at most, for what a page sent without a session."""

GONE_WITHIN = 10.0
"""How long the socket of a page may outlive its session if both go, in seconds."""

_TOPICS = {
    "messages": {"message", "streamed", "cleared", "removed"},
    "members": {"joined", "changed", "removed", "disclosed"},
    "state": {"opened", "closed", "joined", "removed"},
}
"""What is to be read again after which kinds of events."""


class SessionRoom:
    """
    Follows one room at a time for one chat of one session.

    Attributes
    ----------
    live
        The live room; None before there is one.
    """

    def __init__(
        self, session: Session, chat: str, handlers: Handlers, transforms: Transforms
    ) -> None:
        self.live: LiveRoom | None = None
        self._reads = ReactiveReads(session)
        self._last: Event | None = None
        self._session = session
        self._chat = chat
        self._handlers = handlers
        self._transforms = transforms
        self._room: Room | None = None
        self._page = ""
        self._lost: LostSession | None = None
        self._backlog: list[Event] | None = None
        self._unfollows: list[Callable[[], None]] = []
        self._waiting: list[Callable[[], Awaitable[None]]] = []

    @property
    def is_awaited(self) -> bool:
        """Whether something waits for a room to be followed."""
        return bool(self._waiting)

    @property
    def said(self) -> Message | None:
        """What this page's person said last."""
        return None if self._last is None else message_of(self._last)

    def follow(
        self, room: Room, live: LiveRoom, page: str, lost: LostSession | None = None
    ) -> None:
        """Follow a room, which is left again in time, for a page; see `begin`."""
        self._room = room
        self._page = page
        self._lost = lost
        self._backlog = []
        self._unfollow()
        if live is self.live:
            live.leave()  # it is held already
        else:
            self.leave()
            for dep in live.deps:
                shiny_internals.remount(self._session, dep)
        self.live = live
        self._unfollows = [live.follow_page(page, self._hear)]
        if self._reads.are_any:
            self._unfollows.append(live.follow(self._read_again))

    async def begin(self) -> None:
        """Do what has waited for a room, and handle what comes from now on."""
        while self._waiting:
            try:
                await self._waiting[0]()
            except Exception:  # or the page would never be let in
                logger.exception("what had waited for a room could not be done")
            del self._waiting[0]
        await self._take_up()
        self.changed(*_TOPICS)

    def _unfollow(self) -> None:
        while self._unfollows:
            self._unfollows.pop()()

    def leave(self) -> None:
        """Follow no room."""
        self._unfollow()
        if self.live is not None:
            self.live.leave()
            self.live = None

    async def retire(self) -> None:
        """Hear nothing more; the room is left when all is handled that was heard."""
        self._unfollow()
        await self._handlers.idle()
        self.leave()

    async def end(self) -> None:
        """The session has ended: what its page has sent is still handled, then the room is left."""
        self._unfollow()
        try:
            await self._finish()  # what was stored a moment ago may not have been told yet
            if self.live is not None:
                async with asyncio.timeout(GONE_WITHIN):
                    await self.live.without(self._page)
                await self._finish()
        except TimeoutError:
            pass  # the page is there still: what it sends now waits for its next session
        finally:
            self.leave()

    async def _finish(self) -> None:
        """Handle all that this page has sent so far."""
        await self._take_up()
        await self._transforms.idle()
        await self._take_up()  # what has come of it
        await self._handlers.idle()

    async def once(self, action: Callable[[], Awaitable[None]]) -> None:
        """Do something now, or as soon as a room is followed, after what waits already."""
        if self.live is not None and not self._waiting:
            await action()
        else:
            self._waiting.append(action)

    async def read_whole(self) -> None:
        """Have the whole room in memory."""
        if self.live is not None:
            await self.live.read_whole()

    def depend(self, topic: str) -> None:
        """Have the running reactive function run again when `topic` changes."""
        is_first = not self._reads.are_any
        self._reads.depend(topic)
        if is_first and self.live is not None:
            self._unfollows.append(self.live.follow(self._read_again))

    def changed(self, *topics: str) -> None:
        """Have read again what depends on these topics."""
        if not self._session._is_closed():  # pyright: ignore[reportPrivateUsage]
            self._reads.changed(topics)

    def _read_again(self, events: Sequence[Event]) -> None:
        kinds = {event.kind for event in events}
        self.changed(*(topic for topic, on in _TOPICS.items() if kinds & on))

    def _hear(self, events: Sequence[Event]) -> None:
        if self._backlog is None:
            self._take(events)
        else:
            self._backlog += events

    async def _take_up(self) -> None:
        """Handle what this page sent while no session was there to do it."""
        live = self.live
        if live is None:
            return
        await self._transform_missed(live)
        since = _handled.get(self._key(live))
        unsure: frozenset[str] = frozenset()
        if since is None:
            since, unsure = self._recall(live)
        since = max(since, live.state.seq - MAX_EVENTS_RECALLED)
        missed = await live.after(since) if since < live.state.seq else ()
        if self._key(live) not in _handled:
            self._mark(live, since)
        self._submit(missed, unsure)
        backlog, self._backlog = self._backlog or [], None
        self._take(backlog)

    async def _transform_missed(self, live: LiveRoom) -> None:
        """Transform what this page sent while no session was there to do it."""
        is_known = self._key(live) in _handled  # a new page has sent nothing yet
        if self._room is None or not (self._lost or (is_known and self._transforms.are_for_users)):
            return
        page, after = self._page, live.state.seq - MAX_EVENTS_RECALLED

        def read(conn: sa.Connection) -> list[Event]:
            found = find_room(conn, live.key)
            return [] if found is None else submitted(conn, found[0], page, after)

        self._transforms.take(self._room, page, await self._room.log.read(read))

    def _take(self, events: Sequence[Event]) -> None:
        sent = [event for event in events if event.kind == "submitted"]
        if sent and self._room is not None:
            self._transforms.take(self._room, self._page, sent)
        self._submit([event for event in events if event.kind == "message"])

    def _recall(self, live: LiveRoom) -> tuple[int, frozenset[str]]:
        """Where to begin with a page that this process does not know, and what to leave out."""
        now = live.state.seq
        if self._lost is None:
            return now, frozenset()
        return min(now, self._lost.since), self._lost.unsure

    def _submit(self, events: Sequence[Event], unsure: frozenset[str] = frozenset()) -> None:
        live = self.live
        if live is None or not events:
            return
        done = _handled.get(self._key(live), 0)
        if events[-1].seq <= done:
            return
        self._mark(live, events[-1].seq)
        for event in events:
            is_own = event.kind == "message" and event.data.get("page") == self._page
            sent = event.data.get("sent", event.cid)
            if is_own and event.seq > done and sent not in unsure:
                self._last = event
                self._handlers.submit(event, self.read_whole)
                self.changed("said")

    def _key(self, live: LiveRoom) -> tuple[str, ...]:
        return (self._page, self._chat, *live.key)

    def _mark(self, live: LiveRoom, seq: int) -> None:
        key = self._key(live)
        _handled[key] = seq
        _handled.move_to_end(key)
        if len(_handled) > PAGES:
            _handled.popitem(last=False)


_handled: OrderedDict[tuple[str, ...], int] = OrderedDict()
"""Up to which event each page's messages were taken; a session that comes back goes on there."""
