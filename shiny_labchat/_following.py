"""A session's hold on a live room: what it hears there, reads of it, and has to do about it."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence

from shiny.session import Session

from shiny_labchat import _shiny
from shiny_labchat._domain import Event, Message, message_of
from shiny_labchat._live import LiveRoom
from shiny_labchat._reads import Reads
from shiny_labchat._submit import Handlers
from shiny_labchat.errors import LabChatError

__all__ = ["Following"]

logger = logging.getLogger("shiny_labchat")

PAGES = 10_000
"""Pages whose last handled event is remembered, for a session that comes back."""

_TOPICS = {
    "messages": {"message", "cleared", "removed"},
    "members": {"joined", "changed", "removed"},
    "state": {"opened", "closed", "joined", "removed"},
}
"""What is to be read again after which kinds of events."""


class Following:
    """
    Follows one room at a time for one chat of one session.

    Attributes
    ----------
    live
        The live room; None before there is one.
    reads
        Who has read "messages", "members", "state" or "said".
    said
        The text that this page's person said last.
    """

    def __init__(self, session: Session, chat: str, handlers: Handlers) -> None:
        self.live: LiveRoom | None = None
        self.reads = Reads(session)
        self.said: str | None = None
        self._session = session
        self._chat = chat
        self._handlers = handlers
        self._page = ""
        self._backlog: list[Event] | None = None
        self._unfollow: Callable[[], None] = lambda: None
        self._waiting: list[Callable[[], Awaitable[None]]] = []

    def follow(self, live: LiveRoom, page: str) -> None:
        """Follow a room, which is left again in time, for a page; see `begin`."""
        self._page = page
        self._backlog = []
        if live is self.live:
            live.leave()  # it is held already
            return
        self.leave()
        self.live = live
        self._unfollow = live.follow(self._hear)
        for dep in live.deps:
            _shiny.remount(self._session, dep)

    async def begin(self) -> None:
        """Do what has waited for a room, and handle what comes from now on."""
        while self._waiting:
            try:
                await self._waiting[0]()
            except LabChatError:
                logger.exception("what had waited for a room could not be done")
            del self._waiting[0]
        await self._take_up()
        self.changed(*_TOPICS)

    def leave(self) -> None:
        """Follow no room."""
        self._unfollow()
        if self.live is not None:
            self.live.leave()
            self.live = None

    async def end(self) -> None:
        """The page has gone: what it has sent is still handled, then the room is left."""
        self._unfollow()
        try:
            await self._take_up()  # what was stored a moment ago may not have been told yet
            await self._handlers.idle()
        finally:
            self.leave()

    async def once(self, action: Callable[[], Awaitable[None]]) -> None:
        """Do something now, or as soon as a room is followed."""
        if self.live is not None:
            await action()
        else:
            self._waiting.append(action)

    async def read_whole(self) -> None:
        """Have the whole room in memory."""
        if self.live is not None:
            await self.live.read_whole()

    def changed(self, *topics: str) -> None:
        """Have read again what depends on these topics."""
        if not self._session._is_closed():  # pyright: ignore[reportPrivateUsage]
            self.reads.changed(topics)

    def _hear(self, events: Sequence[Event]) -> None:
        if self._backlog is None:
            self._submit(events)
        else:
            self._backlog += events
        kinds = {event.kind for event in events}
        topics = [topic for topic, on in _TOPICS.items() if kinds & on]
        if topics:
            self.changed(*topics)

    async def _take_up(self) -> None:
        """Handle what this page sent while no session was there to do it."""
        live = self.live
        if live is None:
            return
        since = _handled.get(self._key(live))
        if since is None:
            self._mark(live, live.state.seq)
        elif since < live.state.seq:
            self._submit(await live.after(since))
        backlog, self._backlog = self._backlog or [], None
        self._submit(backlog)

    def _submit(self, events: Iterable[Event]) -> None:
        live = self.live
        if live is None:
            return
        done = _handled.get(self._key(live), 0)
        for event in events:
            if event.seq > done:
                self._mark(live, event.seq)
                if event.kind == "message" and event.data.get("page") == self._page:
                    self._handle(message_of(event))

    def _handle(self, message: Message) -> None:
        self.said = message.content
        self._handlers.submit(message, self.read_whole)
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
