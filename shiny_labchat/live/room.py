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
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from itertools import repeat
from typing import Any

import sqlalchemy as sa

from shiny_labchat import metrics
from shiny_labchat.bus.messages import topic_of
from shiny_labchat.concurrency import retry
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.state import RoomState, fold
from shiny_labchat.domain.withdrawal import changes_the_past
from shiny_labchat.errors import LabChatError
from shiny_labchat.live import loading
from shiny_labchat.live.broadcast import Broadcast, Receiver, is_for_all
from shiny_labchat.live.conversation import Conversation
from shiny_labchat.live.presence import Presence
from shiny_labchat.live.room_peers import Open, RoomPeers
from shiny_labchat.live.signs import RoomSigns
from shiny_labchat.live.whole import Whole, recently_read
from shiny_labchat.live.window import Page, Window, missed, older
from shiny_labchat.store import Committed, Log, events_after
from shiny_labchat.streams.open_streams import OpenStreams
from shiny_labchat.streams.remote import watch_over

__all__ = ["LiveRoom"]

logger = logging.getLogger("shiny_labchat")

MAX_MISSED_EVENTS = 2_000
"""A viewer who lacks more events gets the newest screen, and older messages on demand."""
CATCH_UP_RETRY_DELAY = 1.0
"""Pause before a room reads its log again after a failure, in seconds."""
ASK_AGAIN = 0.5
"""Pause before other processes are asked for a page again, in seconds."""
ROOM_BYTES = 16_384
"""Memory of a room without its messages and members, in bytes; an estimate."""
MEMBERSHIP_BYTES = 1_024
"""Memory of a membership, in bytes; an estimate."""

_SAID = ("message", "streamed")

Follower = Callable[[Sequence[Event]], None]


class LiveRoom:
    """
    One room in memory, and its followers. Made by :meth:`LiveRooms.open`.

    Attributes
    ----------
    state
        The fold of the log up to ``state.seq``; followers have been told of all events up to it.
    presence
        Who is here and who is typing.
    peers
        The other processes that have the room open.
    signs
        What pages say when they are asked whether they are alive.
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
        key: LogKey,
        on_unused: Callable[[LiveRoom], None],
        on_page_gone: Callable[[LiveRoom, str], None],
        on_withdrawn: Callable[[LiveRoom, str], None],
    ) -> None:
        self.key = key
        self.state = RoomState()
        self.users = 0
        self.is_void = False
        self.presence = Presence(self._memberships, lambda: self.state.bots())
        self.signs = RoomSigns()
        self.streams = self._new_streams()
        self._have_grown = asyncio.Event()
        self.peers = RoomPeers(
            *(topic_of(key), self.presence, lambda: self.streams, self._have_grown.set),
            self._open_pages,
        )
        self.deps: list[dict[str, Any]] = []
        self._log = log
        self._number = 0
        self._on_unused = on_unused
        self._on_page_gone = on_page_gone
        self._on_withdrawn = on_withdrawn
        self._has_held = False
        self._window = Window()
        self._pages: Counter[str] = Counter()
        self._page_gone = asyncio.Event()
        self._heard = 0
        self._first: set[Follower] = set()
        self._broadcast = Broadcast()
        self._followers: set[Follower] = set()
        self._of_pages: dict[str, set[Follower]] = {}
        self._of_revoked: dict[str, set[Follower]] = {}
        self._whole = Whole(log, key)
        self._kept: Conversation | None = None
        self._loop = asyncio.get_running_loop()
        self._loading: asyncio.Task[None] | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    def _new_streams(self) -> OpenStreams:
        return OpenStreams(self._tell_of_chunks, lambda: self.state.seed)

    def leave(self) -> None:
        """Close the room for one user; after the last one it may be dropped from memory."""
        self.users -= 1
        if self.users == 0:
            self._kept = None
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

    def join_broadcast(self, receiver: Receiver) -> None:
        """
        Send what is new to a first follower, who has everything, without a call.

        They must be shown all open streams. This ends at the first event that is not a message for
        all, or with `leave_broadcast`.
        """
        self._first.discard(receiver.hear)
        cursor = self.state.seq
        self._broadcast.add(receiver, cursor, self.streams.positions(cursor))

    def leave_broadcast(self, receiver: Receiver) -> None:
        """Call a first follower of whatever is new again."""
        if self._broadcast.end(receiver):
            self._first.add(receiver.hear)

    def follow_page(self, page: str, follower: Follower) -> Callable[[], None]:
        """
        Call `follower` with a page's events from now on; return a function that ends this.

        Other pages' events do not call it: a room with hundreds of pages has as many of these
        followers.
        """
        return _add(self._of_pages, page, follower)

    def follow_revoked(self, member: str, follower: Follower) -> Callable[[], None]:
        """Call `follower` when a member's pages are sent away; return a function that ends this."""
        return _add(self._of_revoked, member, follower)

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

    def _open_pages(self) -> dict[str, Open]:
        pages = {*self._pages, *self._of_pages}
        return {page: Open(page in self._pages, page in self._of_pages) for page in pages}

    async def without(self, page: str) -> None:
        """Wait until a page has no socket in any process, and its messages are stored and here."""
        while page in self._pages:
            self._page_gone.clear()
            await self._page_gone.wait()
        await self._log.settled()
        if self._log.is_shared:
            async for _ in retry(repeat(ASK_AGAIN)):
                if not (await self.peers.ask_for_page(page)).socket:
                    break
            await self.catch_up()

    # ── while nobody has it open ──

    @property
    def can_linger(self) -> bool:
        """Whether it may stay in memory after all have left it; then `reopen` it."""
        is_loaded = self._loading is not None and self._loading.done()
        return is_loaded and self.state.seq > 0 and not (self.is_void or self.streams.open)

    @property
    def size(self) -> int:
        """Its memory in bytes, estimated; what `Whole` has is not counted, it has its own bound."""
        members = MEMBERSHIP_BYTES * len(self.state.memberships)
        return ROOM_BYTES + members + self._window.size

    def reopen(self) -> None:
        """Read what was missed since all have left it; `loaded` waits for that."""
        self._loading = _begin(self._read_missed())

    async def _read_missed(self) -> None:
        number, state, has_held = self._number, self.state, self._has_held
        missed = await self._log.read(
            lambda conn: loading.missed(conn, self.key, number, state, has_held, MAX_MISSED_EVENTS)
        )
        if missed is None:
            self._has_held = False
            self.streams = self._new_streams()
            await self._load()
            self._whole.forget(self.state.seq)
            self.presence.begin_again()
            return
        self.deps += [dep for event in missed.events for dep in event.data.get("deps", ())]
        self._take_in_missed(missed.events)
        for page in missed.pages_of_held:
            self._on_page_gone(self, page)
        await self._catch_up_to_heard()

    # ── loading and catching up ──

    async def loaded(self) -> None:
        """Wait until the state and the newest events have been read."""
        if self._loading is None:
            self._loading = _begin(self._load())
        await asyncio.shield(self._loading)

    async def _load(self) -> None:
        found = await self._log.read(lambda conn: loading.opened(conn, self.key))
        self._number, self.state, newest, self.deps, opened, pages = found
        self._has_held = bool(pages)
        self._window = Window.of(self.state, newest)
        for event in (*opened, *reversed(newest)):
            self._follow_stream(event)
        for page in pages:  # that may never come back
            self._on_page_gone(self, page)
        await self._catch_up_to_heard()

    async def _catch_up_to_heard(self) -> None:
        while self.state.seq < self._heard and await self.catch_up():
            pass

    def hear(self, committed: Committed) -> None:
        """Apply committed events; if earlier ones were missed, read these from the log first."""
        assert isinstance(committed.state, RoomState)
        if self.state.seed not in ("", committed.state.seed):
            self._void()
            return
        self._heard = max(self._heard, committed.state.seq)
        if self._loading is None or not self._loading.done() or self._catching_up is not None:
            return  # the reading under way goes on until `_heard`
        fresh = [event for event in committed.events if event.seq > self.state.seq]
        if fresh and fresh[0].seq == self.state.seq + 1 and not committed.is_rewritten:
            self._take_in(fresh, committed.state)
        elif self._heard > self.state.seq:
            self._catching_up = _begin(self._catch_up_all())

    def _void(self) -> None:
        """Let pages begin again: the database was replaced by one with another such room."""
        logger.error(
            "the database was replaced: room %r is another room now, and its pages begin again",
            self.key.id,
        )
        self.is_void = True
        self._on_unused(self)
        self._tell_first(())

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
        metrics.caught_up("room")
        after = self.state.seq
        missed = await self._log.read(lambda conn: events_after(conn, self._number, after))
        if any(map(changes_the_past, missed)):
            await self._read_anew()
            return True
        return self._take_in_missed(missed)

    async def _read_anew(self) -> None:
        """Read what is in memory again, as earlier events are others, see `changes_the_past`."""
        while True:
            before = self.state
            found, missed = await self._log.read(
                lambda conn, seq=before.seq: loading.rewritten(conn, self.key, self._number, seq)
            )
            if self.state is before:
                break
        self._window = Window.of(found.state, found.newest, upto=before.seq)
        self._whole.forget(found.state.seq)
        self._kept = None
        for event in filter(changes_the_past, missed):
            self.streams.forget_changed(event)
        self._take_in(missed, found.state)
        for member in before.memberships.keys() - found.state.memberships.keys():
            self.presence.withdraw(member)
            self.signs.withdraw(member)
            self._on_withdrawn(self, member)

    def _take_in_missed(self, events: Sequence[Event]) -> bool:
        missed = [event for event in events if event.seq > self.state.seq]
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
        before, self.state = self.state, state
        self._window.keep(event for event in events if not self.streams.denies(event))
        for event in events:
            self._follow_stream(event)
            self._has_held = self._has_held or event.kind == "submitted"
            self._note_typed(event)
            if event.kind in ("changed", "removed", "disclosed") or "is_bot" in event.data:
                self.presence.rename(event.member or "")
            elif event.kind == "joined":
                self.presence.join(event.member or "")
        if state.network is not before.network or not state.network.is_full:
            self._note_network(events, before)
        self._whole.add(events)
        self._tell_first(events)
        if self._followers or self._of_pages or self._of_revoked:
            asyncio.get_running_loop().call_soon(self._tell_sessions, events)

    def _note_network(self, events: Sequence[Event], before: RoomState) -> None:
        """Have everybody shown whom they hear from now on, if that may be others than before."""
        is_other = any(event.kind in ("changed", "joined", "removed") for event in events)
        if self.state.network != before.network or is_other:
            self.presence.relate()

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
            self._watching = _begin(self._watch_streams())

    async def _watch_streams(self) -> None:
        await watch_over(
            *(self._log, self.key, self._number, self.streams),
            *(lambda: bool(self.users), self._have_grown),
        )

    def stop_stream(self, seq: int) -> None:
        """Stop an open stream, whichever process runs it."""
        stream = self.streams.open.get(seq)
        if stream is not None and stream.stop is not None:
            stream.stop()
        else:
            self.peers.stop(seq)

    def _tell_first(self, events: Sequence[Event]) -> None:
        """Have all sockets sent what is new; those of the broadcast in one go, if that will do."""
        if events and all(map(is_for_all, events)) and not self.is_behind(self._broadcast.cursor):
            self._send_to_broadcast()
        else:
            self._first.update(receiver.hear for receiver in self._broadcast.end_all())
        self._tell(self._first, [event for event in events if event.kind not in _SAID])

    def _send_to_broadcast(self) -> None:
        broadcast, behind = self._broadcast, list[Receiver]()
        while broadcast.cursor < self.state.seq and (viewer := broadcast.viewer) is not None:
            frame, cursor = self.frame(broadcast.cursor, self.state.memberships[viewer])
            behind += broadcast.send(frame, cursor)
        self._first.update(receiver.hear for receiver in behind)

    def _tell_of_chunks(self) -> None:
        """Have all sockets sent what is new in the open streams."""
        self.peers.tell_grown()
        broadcast, behind = self._broadcast, list[Receiver]()
        while broadcast.viewer is not None:
            frame, has = self.streams.owed(broadcast.has, broadcast.cursor, lambda opening: True)
            if frame is None:
                break
            behind += broadcast.send(frame, broadcast.cursor, has)
        self._first.update(receiver.hear for receiver in behind)
        self._tell(self._first, ())

    def _tell_sessions(self, events: Sequence[Event]) -> None:
        for event in events:
            page = event.data.get("page")
            if page in self._of_pages:
                self._tell(self._of_pages[page], (event,))
            if event.kind == "revoked" and event.member in self._of_revoked:
                self._tell(self._of_revoked[event.member], (event,))
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

    @property
    def newest_shown(self) -> int:
        """The seq of the newest event that is for viewers; 0: there is none in memory."""
        return self._window.newest_seq

    def is_behind(self, cursor: int) -> bool:
        """Whether a cursor is older than the events, or the ended streams, in memory."""
        return cursor < max(self._window.since, self.streams.forgotten)

    def is_lost(self, cursor: int) -> bool:
        """Whether a viewer has missed too much, or has a cursor of another log: begin again."""
        return not self.state.seq - MAX_MISSED_EVENTS <= cursor <= self.state.seq

    async def missed(self, cursor: int, viewer: Membership) -> tuple[list[str], int]:
        """The next frames for a viewer who is behind, from the log, and their cursor after it."""
        metrics.caught_up("page")
        return await missed(self._log, self._number, self.state, cursor, viewer)

    def frame(self, cursor: int, viewer: Membership) -> tuple[str | None, int]:
        """The next frame for a viewer, from memory, and their cursor after it."""
        return self._window.frame(self.state, cursor, viewer)

    async def newest(self, viewer: Membership) -> Page:
        """The newest screen, from memory if it has enough, else from the log, see `older`."""
        page = self._window.newest(self.state, viewer)
        return page or await self.older(self.state.seq + 1, viewer)

    async def older(self, before: int, viewer: Membership) -> Page:
        """The page before a seq, read from the log; it may be short, or empty."""
        return await older(self._log, self._number, self.state, before, viewer)

    # ── the whole room, for those who read it ──

    def conversation(self) -> Conversation | None:
        """
        All messages of the room, if they are in memory; else None: await `read`.

        Whoever goes on reading has to refer to it: it is in memory, and gets newer messages, as
        long as anybody does.
        """
        known = self._whole.conversation
        if known is None and not self._window.since:
            known = self._whole.begin(event for event, _ in self._window.after(0))
        return known

    @property
    def is_in_memory(self) -> bool:
        """Whether `conversation` has all messages."""
        return not self._window.since or self._whole.conversation is not None

    async def read(self) -> Conversation:
        """All messages of the room; if they are not in memory, they are read from the log."""
        known = self.conversation()
        if known is None:
            return await self._whole.read(self._number, self.state.seq)
        recently_read().note(known)
        return known

    def read_now(self) -> Conversation:
        """All messages of the room, for somebody who cannot wait: this thread waits for them."""
        try:
            is_ours = asyncio.get_running_loop() is self._loop
        except RuntimeError:  # another thread
            is_ours = False
        known = self.conversation() if is_ours else self._whole.conversation
        return known or self._whole.read_now(self._number, self.state.seq, shared=is_ours)

    async def read_whole(self) -> Conversation:
        """Like `read`; the messages stay in memory, as `whole`, while the room is open."""
        self._kept = await self.read()
        return self._kept

    @property
    def whole(self) -> Conversation:
        """
        All messages of the room; call :meth:`read_whole` first.

        If they have become others since, see `changes_the_past`, this thread waits for them.
        """
        if self._kept is None:
            self._kept = self.read_now()
        return self._kept

    def _read_after(self, seq: int) -> Callable[[sa.Connection], list[Event]]:
        return lambda conn: events_after(conn, self._number, seq, kinds=("message",))


def _add(followers: dict[str, set[Follower]], of: str, follower: Follower) -> Callable[[], None]:
    """Add a follower of a page or member; return a function that removes it."""
    some = followers.setdefault(of, set())
    some.add(follower)

    def end() -> None:
        some.discard(follower)
        if not some and followers.get(of) is some:
            del followers[of]

    return end


def _begin(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    # A task refers to its context, also when it has ended: that of who opens a room has their
    # Shiny session in it, which would stay in memory as long as the room.
    return asyncio.create_task(work, context=Context())
