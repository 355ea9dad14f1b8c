"""
Live rooms: a room's state and newest events in memory, and who follows them.

One per event loop and room, shared by all sockets and Chats. There are no queues: each follower
has a cursor, and asks for what comes after it. So a slow follower costs nothing, and a frame that
several are owed is encoded once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.events import Event, RoomKey
from shiny_labchat.domain.held import HeldMessage
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.state import Membership, RoomState, fold
from shiny_labchat.errors import LabChatError, Refused
from shiny_labchat.live.conversation import Conversation
from shiny_labchat.live.presence import Presence
from shiny_labchat.live.window import SHOWN, WINDOW, Page, Window, missed, older
from shiny_labchat.store import (
    Committed,
    Log,
    dependencies,
    events_after,
    events_before,
    find_room,
    load_state,
    open_streams,
    submitted,
)
from shiny_labchat.streams.open_streams import OpenStreams
from shiny_labchat.streams.remote import watch_over

__all__ = ["LiveRoom"]

logger = logging.getLogger("shiny_labchat")

MAX_MISSED_EVENTS = 2_000
"""A viewer who lacks more events gets the newest screen, and older messages on demand."""
CATCH_UP_RETRY_DELAY = 1.0
"""Pause before a room reads its log again after a failure, in seconds."""

_SAID = ("message", "streamed")

Follower = Callable[[Sequence[Event]], None]


class _Read(NamedTuple):
    """The data that a live room reads first."""

    number: int
    state: RoomState
    newest: list[Event]
    deps: list[dict[str, Any]]
    opened: list[Event]
    pages_of_held: set[str]


class LiveRoom:
    """
    One room in memory, and its followers. Made by :meth:`LiveRooms.open`.

    Attributes
    ----------
    state
        The fold of the log up to ``state.seq``; followers have been told of all events up to it.
    presence
        Who is here and who is typing.
    streams
        The open streams.
    deps
        The HTML dependencies of the UI in messages when the room was loaded.
    is_void
        Whether the database was replaced by one with another room of this name.
    """

    def __init__(
        self,
        log: Log,
        key: RoomKey,
        on_unused: Callable[[LiveRoom], None],
        on_page_gone: Callable[[LiveRoom, str], None],
    ) -> None:
        self.key = key
        self.state = RoomState()
        self.users = 0
        self.is_void = False
        self.presence = Presence(self._memberships, lambda: self.state.bots())
        self.streams = OpenStreams(lambda: self._tell(self._first, ()))
        self.deps: list[dict[str, Any]] = []
        self._log = log
        self._number = 0
        self._on_unused = on_unused
        self._on_page_gone = on_page_gone
        self._has_held = False
        self._window = Window()
        self._pages: Counter[str] = Counter()
        self._page_gone = asyncio.Event()
        self._heard = 0
        self._first: set[Follower] = set()
        self._followers: set[Follower] = set()
        self._of_pages: dict[str, set[Follower]] = {}
        self._whole: Conversation | None = None
        self._loading: asyncio.Task[None] | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    def leave(self) -> None:
        """Close the room for one user; after the last one it is dropped from memory."""
        self.users -= 1
        if self.users == 0 and not self.is_void:
            self._on_unused(self)

    def follow(self, follower: Follower, *, first: bool = False) -> Callable[[], None]:
        """
        Call `follower` with all events from now on; return a function that ends this.

        Followers with `first` are called at once, the others after them: browsers are sent a
        message before any session works on it. `first` followers do not get the messages, only
        the call: what a browser is owed follows from its cursor.
        """
        followers = self._first if first else self._followers
        followers.add(follower)
        return lambda: followers.discard(follower)

    def follow_page(self, page: str, follower: Follower) -> Callable[[], None]:
        """
        Call `follower` with a page's events from now on; return a function that ends this.

        Other pages' events do not call it: a room with hundreds of pages has as many of these
        followers.
        """
        followers = self._of_pages.setdefault(page, set())
        followers.add(follower)

        def end() -> None:
            followers.discard(follower)
            if not followers and self._of_pages.get(page) is followers:
                del self._of_pages[page]

        return end

    # ── pages ──

    def page_came(self, page: str) -> None:
        """Note that a page has opened a socket."""
        self._pages[page] += 1

    def page_went(self, page: str) -> None:
        """Note that a socket of a page has ended; the writer has all of its messages."""
        self._pages[page] -= 1
        if not self._pages[page]:
            del self._pages[page]
            self._page_gone.set()
            if self._has_held:
                self._on_page_gone(self, page)

    def is_here(self, page: str) -> bool:
        """Whether a page has a socket or a session here."""
        return page in self._pages or page in self._of_pages

    async def without(self, page: str) -> None:
        """Wait until a page has no socket here, and its messages are stored."""
        while page in self._pages:
            self._page_gone.clear()
            await self._page_gone.wait()
        await self._log.write(lambda conn, now: None)  # done when all earlier writes are

    # ── loading and catching up ──

    async def loaded(self) -> None:
        """Wait until the state and the newest events have been read."""
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())
        await asyncio.shield(self._loading)

    async def _load(self) -> None:
        def read(conn: sa.Connection) -> _Read:
            found = find_room(conn, self.key)
            if found is None:
                raise Refused("no_room", self.key.id)
            number, seq = found
            state = load_state(conn, number, seq)
            newest = events_before(conn, number, seq + 1, WINDOW, SHOWN)
            return _Read(
                number,
                state,
                newest,
                dependencies(conn, number),
                open_streams(conn, number),
                {HeldMessage.of(event).page for event in submitted(conn, number)},
            )

        found = await self._log.read(read)
        self._number, self.state, newest, self.deps, opened, pages = found
        self._has_held = bool(pages)
        self._window.since = newest[-1].seq - 1 if len(newest) == WINDOW else 0
        self._window.keep(reversed(newest))
        for event in (*opened, *reversed(newest)):
            self._follow_stream(event)
        for page in pages:  # that may never come back
            self._on_page_gone(self, page)
        while self.state.seq < self._heard and await self.catch_up():
            pass

    def hear(self, committed: Committed) -> None:
        """Apply committed events; if earlier ones were missed, read these from the log first."""
        if self.state.seed not in ("", committed.state.seed):
            self._void()
            return
        self._heard = max(self._heard, committed.state.seq)
        if self._loading is None or not self._loading.done() or self._catching_up is not None:
            return  # the reading under way goes on until `_heard`
        fresh = [event for event in committed.events if event.seq > self.state.seq]
        if fresh and fresh[0].seq == self.state.seq + 1:
            self._take_in(fresh, committed.state)
        elif self._heard > self.state.seq:
            self._catching_up = asyncio.create_task(self._catch_up_all())

    def _void(self) -> None:
        """Let pages begin again: the database was replaced by one with another such room."""
        logger.error(
            "the database was replaced: room %r is another room now, and its pages begin again",
            self.key.id,
        )
        self.is_void = True
        self._on_unused(self)
        self._tell(self._first, ())

    async def _catch_up_all(self) -> None:
        try:
            while self.state.seq < self._heard and self.users:
                await self._try_to_catch_up()
        finally:
            self._catching_up = None

    async def _try_to_catch_up(self) -> None:
        try:
            if await self.catch_up():
                return
        except LabChatError as exc:
            logger.error(
                "room %r could not read its log after seq %d; trying again: %s",
                *(self.key.id, self.state.seq, exc),
            )
        await asyncio.sleep(CATCH_UP_RETRY_DELAY)

    async def catch_up(self) -> bool:
        """Read and apply other processes' events; return whether there were any."""
        after = self.state.seq
        missed = await self._log.read(lambda conn: events_after(conn, self._number, after))
        missed = [event for event in missed if event.seq > self.state.seq]
        state = self.state
        for event in missed:
            state = fold(state, event)
        if missed:
            self._take_in(missed, state)
        return bool(missed)

    async def after(self, seq: int) -> list[Event]:
        """The messages after a seq, read from the log."""
        return await self._log.read(self._read_after(seq))

    def _take_in(self, events: Sequence[Event], state: RoomState) -> None:
        self.state = state
        self._window.keep(event for event in events if not self.streams.denies(event))
        self.streams.forget(self._window.since)
        for event in events:
            self._follow_stream(event)
            self._has_held = self._has_held or event.kind == "submitted"
            self._note_typed(event)
            if event.kind in ("changed", "removed", "disclosed") or "is_bot" in event.data:
                self.presence.rename()
        if self._whole is not None:
            self._whole.add(events)
        self._tell(self._first, [event for event in events if event.kind not in _SAID])
        if self._followers or self._of_pages:
            asyncio.get_running_loop().call_soon(self._tell_sessions, events)

    def _note_typed(self, event: Event) -> None:
        member = event.member
        if member is None:
            return
        if event.kind == "removed":
            self.presence.stop_typing(member)
        elif event.kind in ("message", "submitted"):
            membership = self.state.membership(member)
            is_bot = membership is not None and membership.is_bot  # which has no page that sends
            (self.presence.stop_typing if is_bot else self.presence.said)(member)

    def _follow_stream(self, event: Event) -> None:
        if event.kind == "streamed":
            self.streams.finish(event)
        if event.kind != "message" or "live" not in event.data:
            return
        stream = self.streams.begin(event)
        if stream.stop is None and (self._watching is None or self._watching.done()):
            self._watching = asyncio.create_task(self._watch_streams())

    async def _watch_streams(self) -> None:
        await watch_over(self._log, self.key, self._number, self.streams, lambda: bool(self.users))

    def _tell_sessions(self, events: Sequence[Event]) -> None:
        for event in events:
            page = event.data.get("page")
            if page in self._of_pages:
                self._tell(self._of_pages[page], (event,))
        self._tell(self._followers, events)

    def _tell(self, followers: set[Follower], events: Sequence[Event]) -> None:
        for follower in tuple(followers):
            try:
                follower(events)
            except Exception:
                logger.exception("a follower of room %r failed", self.key.id)

    def _memberships(self, members: Sequence[str]) -> list[Membership]:
        memberships = (self.state.membership(member) for member in members)
        return [membership for membership in memberships if membership is not None]

    # ── what a viewer is owed ──

    def is_behind(self, cursor: int) -> bool:
        """Whether a cursor is older than the events in memory."""
        return cursor < self._window.since

    def is_lost(self, cursor: int) -> bool:
        """Whether a viewer has missed too much, or has a cursor of another log: begin again."""
        return not self.state.seq - MAX_MISSED_EVENTS <= cursor <= self.state.seq

    async def missed(self, cursor: int, viewer: Membership) -> tuple[list[str], int]:
        """The next frames for a viewer who is behind, from the log, and their cursor after it."""
        return await missed(self._log, self._number, self.state, cursor, viewer)

    def frame(self, cursor: int, viewer: Membership) -> tuple[str | None, int]:
        """The next frame for a viewer, from memory, and their cursor after it."""
        return self._window.frame(self.state, cursor, viewer)

    async def newest(self, viewer: Membership) -> Page:
        """The newest screen, from memory if it has enough, else from the log."""
        page = self._window.newest(self.state, viewer)
        return page or await self.older(self.state.seq + 1, viewer)

    async def older(self, before: int, viewer: Membership) -> Page:
        """The page before a seq, read from the log."""
        return await older(self._log, self._number, self.state, before, viewer)

    # ── the whole room, for sessions that read it ──

    def conversation(
        self, viewer: Membership, upto: int, also: Collection[int] = ()
    ) -> tuple[Message, ...]:
        """
        The messages that a viewer may see up to a seq, since their view was last cleared.

        `also` are the seqs of later messages to include.

        The first call keeps the whole room in memory from then on. It blocks the event loop while
        it reads the log, so await :meth:`read_whole` before, where that is possible.
        """
        if self._whole is None:
            self._keep_whole(self._log.read_now(self._read_after(0)))
        return self.whole.seen(self.state, viewer, upto, also)

    @property
    def whole(self) -> Conversation:
        """All messages of the room; call :meth:`read_whole` first."""
        assert self._whole is not None
        return self._whole

    async def read_whole(self) -> None:
        """Keep the whole room in memory from now on; does not block the event loop."""
        events, known, more = list[Event](), 0, self._whole is None
        while more:  # until the window has the rest, however much is posted meanwhile
            newer = await self._log.read(self._read_after(known))
            events += newer
            known = newer[-1].seq if newer else known
            more = bool(newer) and known < self._window.since
        if self._whole is None:
            self._keep_whole(events)

    def _read_after(self, seq: int) -> Callable[[sa.Connection], list[Event]]:
        return lambda conn: events_after(conn, self._number, seq, kinds=("message",))

    def _keep_whole(self, events: Sequence[Event]) -> None:
        read = [event for event in events if event.seq <= self.state.seq]
        known = read[-1].seq if read else 0
        newer = (event for event, _ in self._window.after(known))
        self._whole = Conversation([*read, *newer], self.key)
