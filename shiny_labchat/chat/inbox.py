"""The messages of a session's page: each is handled once, even if the page changes sessions."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat

import sqlalchemy as sa

from shiny_labchat.access.handled import ChatOfPage, take_messages
from shiny_labchat.chat.handlers import Handlers
from shiny_labchat.chat.page import LostSession
from shiny_labchat.chat.transforms import Transforms
from shiny_labchat.concurrency import Queue, retry
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.held import HeldMessage
from shiny_labchat.domain.messages import Message, is_ignored, message_of, was_said
from shiny_labchat.errors import StoreError
from shiny_labchat.lab.room import Room
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.store import find_room, submitted

__all__ = ["Inbox"]

logger = logging.getLogger("shiny_labchat")

PAGES = 10_000
"""
For how many pages the last handled event is remembered, for sessions that come back: of about 250
bytes each.
"""

MAX_EVENTS_RECALLED = 10_000
"""The most events of a room that are searched for messages sent without a session."""

RETRY_DELAY = 1.0
"""Pause before messages are taken again, if the database has failed, in seconds."""
GONE_WITHIN = 10.0
"""How long to wait for the socket of a page after its session has ended, in seconds."""


class Inbox:
    """
    The messages of one page in a room, on their way to its session's transforms and handlers.

    Parameters
    ----------
    chat
        The chat's id: two chats of a page may be in one room.
    handlers, transforms
        The handlers and transforms that receive the messages.
    said
        Called with a message that the page's person has sent.
    """

    def __init__(
        self, chat: str, handlers: Handlers, transforms: Transforms, said: Callable[[Message], None]
    ) -> None:
        self._chat = chat
        self._handlers = handlers
        self._transforms = transforms
        self._said = said
        self._room: Room | None = None
        self._live: LiveRoom | None = None
        self._page = ""
        self._lost: LostSession | None = None
        self._last: Message | None = None
        self._backlog: list[Event] | None = None
        self._unfollow: Callable[[], None] | None = None
        self._has_come_from_elsewhere = False
        self._taking = Queue()
        self._taken: tuple[LogKey, int] | None = None
        self._id = secrets.token_hex(8)

    @property
    def last(self) -> Message | None:
        """The last message that was sent from this page."""
        return self._last

    def open(self, room: Room, live: LiveRoom, page: str, lost: LostSession | None) -> None:
        """
        Receive the messages of a page in a room from now on; they wait for `take_up`.

        Parameters
        ----------
        room, live, page
            The room, and the page's id.
        lost
            Where the page was when it lost an earlier session.
        """
        self.close()
        self._room = room
        self._live = live
        self._page = page
        self._lost = lost
        self._backlog = []
        self._has_come_from_elsewhere = False
        self._unfollow = live.follow_page(page, self._hear)

    def close(self) -> None:
        """Stop receiving messages."""
        if self._unfollow is not None:
            self._unfollow()
            self._unfollow = None

    def leave(self) -> None:
        """Stop receiving and taking up messages: the page is in no room now."""
        self.close()
        self._live = None

    async def retire(self) -> None:
        """Stop receiving messages, and wait until those received are handled."""
        self.close()
        await self._taking.idle()
        await self._handlers.idle()

    async def end(self) -> None:
        """Handle what the page has sent by now, after its session has ended."""
        self.close()
        await self._finish()  # a message stored a moment ago may not have arrived here yet
        if self._live is None:
            return
        try:
            async with asyncio.timeout(GONE_WITHIN):
                await self._live.without(self._page)
        except TimeoutError:
            return  # the page is still connected: its messages now wait for its next session
        await self._finish()

    async def _finish(self) -> None:
        await self.take_up()
        await self._transforms.idle()
        await self.take_up()  # the messages that the transforms have published
        await self._taking.idle()
        await self._handlers.idle()

    async def take_up(self) -> None:
        """Handle what this page has sent so far, and from now on each message at once."""
        live = self._live
        if live is None:
            return
        await self._transform_missed(live)
        since = _handled.get(self._key(live))
        unsure: frozenset[str] = frozenset()
        if since is None:
            since, unsure = self._recall(live)
            self._has_come_from_elsewhere = self._lost is not None
        since = max(since, live.state.seq - MAX_EVENTS_RECALLED)
        missed = await live.after(since) if since < live.state.seq else ()
        if self._key(live) not in _handled:
            self._mark(live, since)
        self._submit(missed, unsure)
        backlog, self._backlog = self._backlog or [], None
        self._take(backlog)

    async def _transform_missed(self, live: LiveRoom) -> None:
        """Transform the messages that this page sent while it had no session."""
        is_known = self._key(live) in _handled  # a new page has sent nothing yet
        if self._room is None or not (self._lost or (is_known and self._transforms.are_for_users)):
            return
        page, after = self._page, live.state.seq - MAX_EVENTS_RECALLED

        def read(conn: sa.Connection) -> list[Event]:
            found = find_room(conn, live.key)
            held = [] if found is None else submitted(conn, found[0], after)
            return [each for each in held if HeldMessage.of(each).page == page]

        self._transforms.take(self._room, await self._room.log.read(read))

    def _recall(self, live: LiveRoom) -> tuple[int, frozenset[str]]:
        """The seq to begin after for a page new to this process, and the ids to leave out."""
        if self._lost is None:
            return live.state.seq, frozenset()
        return self._lost.seq(live.state), self._lost.unsure

    def _hear(self, events: Sequence[Event]) -> None:
        if self._backlog is None:
            self._take(events)
        else:
            self._backlog += events

    def _take(self, events: Sequence[Event]) -> None:
        sent = [event for event in events if event.kind == "submitted"]
        if sent and self._room is not None:
            self._transforms.take(self._room, sent)
        self._submit([event for event in events if event.kind == "message"])

    def _submit(self, events: Sequence[Event], unsure: frozenset[str] = frozenset()) -> None:
        live = self._live
        if live is None or not events:
            return
        done = _handled.get(self._key(live), 0)
        if events[-1].seq <= done:
            return
        self._mark(live, events[-1].seq)
        own = [
            event
            for event in events
            if event.kind == "message"
            and event.data.get("page") == self._page
            and was_said(event)
            and event.seq > done
            and event.data.get("sent", event.cid) not in unsure
        ]
        # A file does not tell yet of another process that has not written since this one opened it.
        room = self._room
        if own and room is not None and (self._has_come_from_elsewhere or room.log.is_shared):
            self._taking.put(partial(self._handle_untaken, room, own))
        else:
            self._handle(live.key, own)

    async def _handle_untaken(self, room: Room, own: Sequence[Event]) -> None:
        """Handle those that no session of the page at another worker has taken."""
        of, member = ChatOfPage(self._page, self._chat, room.key), own[0].member or ""
        before = self._taken[1] if self._taken is not None and self._taken[0] == room.key else None
        asked = {"of": of, "member": member, "session": self._id, "before": before}
        take = partial(take_messages, seqs=[event.seq for event in own], **asked)
        taken: Sequence[int] = ()
        is_said = False
        async for _ in retry(repeat(RETRY_DELAY)):
            try:
                taken = await room.log.write(take, keeps_books=False)
                break
            except StoreError as exc:
                if not is_said:
                    logger.error("room %r: messages wait to be handled: %s", room.id, exc)
                is_said = True
        self._taken = (room.key, taken[-1]) if taken else None
        self._handle(room.key, [event for event in own if event.seq in taken])

    def _handle(self, room: LogKey, own: Sequence[Event]) -> None:
        for event in own:
            self._last = message_of(event, room)
            if not is_ignored(event):
                self._handlers.submit(self._last)
            self._said(self._last)

    def _key(self, live: LiveRoom) -> bytes:
        # A digest: a page's id is the page's own word, and may be long.
        names = json.dumps([self._page, self._chat, live.key.study, live.key.id])
        return hashlib.blake2b(names.encode(), digest_size=16).digest()

    def _mark(self, live: LiveRoom, seq: int) -> None:
        key = self._key(live)
        _handled[key] = seq
        _handled.move_to_end(key)
        if len(_handled) > PAGES:
            _handled.popitem(last=False)


_handled: OrderedDict[bytes, int] = OrderedDict()
"""The seq up to which each page's messages were taken; its next session continues there."""
