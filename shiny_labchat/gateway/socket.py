"""
One browser's socket to a room, after admission.

There are two tasks. One reads frames and submits commands, without waiting for their outcome. The
other sleeps until something is owed to the browser, and then sends all of it. What is owed follows
from the socket's cursor and its numbers of presence frames, so a browser that stops reading makes
only its own task wait. It costs only the memory of the frames that are being sent: those of one
page of the log (`LiveRoom.missed`), those of the open streams, and the transport's buffer.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from starlette.types import Receive, Send
from starlette.websockets import WebSocketDisconnect

from shiny_labchat import protocol
from shiny_labchat.access import tickets
from shiny_labchat.domain import commands
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.held import HeldMessage
from shiny_labchat.domain.state import Membership
from shiny_labchat.errors import NOT_STORED, SENTENCES, BadFrame, Refused, StoreError
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.live.window import Page
from shiny_labchat.store import Outcome
from shiny_labchat.streams.content import Position

__all__ = ["Socket", "text_of_frame"]

logger = logging.getLogger("shiny_labchat")

IN_FLIGHT = 32
"""Messages of one socket that may wait to be stored; at this limit reading pauses."""
REPLIES = 4
"""Replies of one socket that may wait to be sent; above this limit reading pauses."""
FRAMES_PER_SECOND = 100
"""Frames of one socket that are read per second; more are read later, not dropped."""
FRAMES_AT_ONCE = 200
READ_AFTER_DISCONNECT = 1.0
"""How long frames of a browser are still read when sending to it has failed, in seconds."""


async def text_of_frame(receive: Receive) -> str:
    """The text of a browser's next frame."""
    message = await receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text = message.get("text")
    if text is None:
        raise BadFrame("bad_frame", "a frame must be text, not bytes")
    return text


class Socket:
    """
    One open socket of a member's page.

    Parameters
    ----------
    receive, send
        The accepted websocket, as ASGI functions: Starlette's `WebSocket` would double the cost.
    entry
        What its token lets it do.
    room
        The live room.

    Raises
    ------
    Refused
        Its person is not a member of the room (any more).
    """

    def __init__(self, receive: Receive, send: Send, entry: tickets.Entry, room: LiveRoom) -> None:
        self._receive = receive
        self._transmit = send
        self._entry = entry
        self._room = room
        self._wake = asyncio.Event()
        self._replies: list[str] = []
        self._acks: list[tuple[str, int]] = []
        self._replied = asyncio.Event()
        self._in_flight = 0
        self._landed = asyncio.Event()
        self._given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._cursor = 0
        self._has: dict[int, Position] = {}
        self._asked: deque[int] = deque()
        self._waiting: dict[int, str] = {}
        self._heard_pages: dict[str, Callable[[], None]] = {}
        self._is_told = False
        self._state = ""
        self._state_changed = False
        self._seen_here = self._seen_typing = 0
        self._frames_left = float(FRAMES_AT_ONCE)
        self._frame_at = asyncio.get_running_loop().time()

    async def serve(self, after: int) -> None:
        """Send the welcome, then read and send until the browser leaves or is refused."""
        self._state = protocol.state(self._room.state, self._membership())
        presence = self._room.presence
        unfollow = self._room.follow(self._hear, first=True), presence.follow(self._wake.set)
        presence.come(self._entry.member)
        self._room.page_came(self._entry.page)
        self._wake.set()  # this browser is owed presence, even if it has not changed
        try:
            await _first_of(self._given_up, self._read(), self._send_all(after))
        finally:
            presence.go(self._entry.member)
            self._room.page_went(self._entry.page)
            for end in (*unfollow, *self._heard_pages.values()):
                end()

    def give_up(self) -> None:
        """End the socket: its member has opened too many newer ones."""
        if not self._given_up.done():
            self._given_up.set_exception(Refused("too_many_tabs"))

    def _membership(self) -> Membership:
        membership = self._room.state.memberships.get(self._entry.member)
        if membership is None:
            raise Refused("not_member")
        if membership.is_removed:
            raise Refused("removed")
        return membership

    async def _welcome(self, after: int) -> str:
        room, membership = self._room, self._membership()
        was_told = after < room.state.last_told(
            membership.member
        )  # messages must be drawn with other roles
        reset = after == 0 or was_told or room.is_lost(after)
        self._cursor = room.state.seq if reset else after  # events after it are owed
        self._has = {} if reset else room.streams.unsure(after)
        page = await room.newest(membership) if reset else Page([], False)
        membership = self._membership()
        self._wake.set()
        resume = self._entry.resume
        return protocol.welcome(
            room.state, membership, resume, self._cursor, page.items, page.more, reset
        )

    # ── sending ──

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.kind == "disclosed":
                to = event.data["to"]
                self._is_told = self._is_told or to is None or self._entry.member in to
            if event.kind in _ABOUT_ALL or event.member == self._entry.member:
                self._state_changed = True
        self._wake.set()

    async def _send_all(self, after: int) -> None:
        try:
            await self._send(await self._welcome(after))
            while True:
                await self._wake.wait()
                self._wake.clear()
                for frames in protocol.together(await self._owed()):
                    await self._send(frames)
        except WebSocketDisconnect:
            await asyncio.sleep(READ_AFTER_DISCONNECT)  # its last frames are still read
            raise

    async def _owed(self) -> list[str]:
        room, membership = self._room, self._membership()
        if room.is_void:
            raise StoreError(
                "store_gone",
                str(room.key),
                "the database was replaced by another one while the page was open",
            )
        owed = [protocol.acks(self._acks)] if self._acks else []
        self._acks.clear()
        owed += self._chunks(membership)  # the rest of a stream comes before its end
        if self._cursor < room.state.seq:
            owed += await self._news(membership)
            owed += self._chunks(membership)
        if self._state_changed:
            self._state_changed = False
            owed += self._new_state(membership)
        owed += self._presence(membership)
        owed += self._replies
        self._replies.clear()
        self._replied.set()
        if self._asked:
            owed += await self._older()
        return owed

    def _presence(self, membership: Membership) -> list[str]:
        presence, owed = self._room.presence, list[str]()
        here, typing = presence.here, presence.typing
        if self._seen_here != here.number and here.frame is not None:
            self._seen_here = here.number
            observers = membership.sees_observers(self._entry.shows_observers)
            if membership.member in self._room.state.told:
                owed.append(presence.frame_for(membership.member, observers=observers))
            else:
                owed.append(here.frame.all if observers else here.frame.without_observers)
        if self._seen_typing != typing.number and typing.frame is not None:
            self._seen_typing = typing.number
            owed.append(typing.frame)
        return owed

    async def _older(self) -> list[str]:
        """
        The older pages that the browser asked for, and the content of open streams in them.

        They are read in the sending task, while the cursor does not move: if a stream is open in a
        page, its end is sent after the page.
        """
        frames: list[str] = []
        while self._asked:
            before = min(self._asked[0], self._cursor + 1)
            page = await self._room.older(before, self._membership())
            self._asked.popleft()
            frames.append(protocol.older(page.items, page.more))
            # the page draws open streams empty, so all of their content is owed again
            self._has = {seq: has for seq, has in self._has.items() if seq >= before}
        self._replied.set()
        return [
            *frames,
            *self._chunks(self._membership()),
        ]  # a member who was removed meanwhile gets nothing

    async def _news(self, membership: Membership) -> list[str]:
        room = self._room
        if room.is_lost(self._cursor) or self._is_told:
            self._is_told = False
            self._seen_here = 0
            return [await self._welcome(0)]
        if room.is_behind(self._cursor):
            frames, self._cursor = await room.missed(self._cursor, membership)
            self._membership()  # a member who was removed during the read gets nothing
        else:
            frame, self._cursor = room.frame(self._cursor, membership)
            frames = [] if frame is None else [frame]
        if self._cursor < room.state.seq:
            self._wake.set()
        self._has = room.streams.known(self._has, self._cursor)
        return frames

    def _chunks(self, membership: Membership) -> list[str]:
        """The new content of the streams that the browser knows of."""
        room, frames = self._room, list[str]()
        while True:
            frame, reached = room.streams.owed(
                self._has, self._cursor, partial(room.state.shows, membership)
            )
            if frame is None:
                return frames
            frames.append(frame)
            self._has.update(reached)

    def _new_state(self, membership: Membership) -> list[str]:
        frame = protocol.state(self._room.state, membership)
        if frame == self._state:
            return []
        self._state = frame
        return [frame]

    async def _send(self, frames: str) -> None:
        try:
            await self._transmit({"type": "websocket.send", "text": frames})
        except (RuntimeError, OSError) as exc:  # raised by servers when a socket is closed
            raise WebSocketDisconnect(1006) from exc

    def _reply(self, frame: str) -> None:
        self._replies.append(frame)
        self._wake.set()

    # ── reading ──

    async def _read(self) -> None:
        while True:
            frame = protocol.decode(await text_of_frame(self._receive))
            self._frames_left -= 1
            if self._frames_left < 0:
                await self._pace()
            while (
                len(self._replies) + len(self._asked) > REPLIES
            ):  # the browser asks, but does not read
                self._replied.clear()
                await self._replied.wait()
            match frame:
                case protocol.Send():
                    while self._in_flight >= IN_FLIGHT:
                        self._landed.clear()
                        await self._landed.wait()
                    self._say(frame)
                case protocol.Typing():
                    self._type()
                case protocol.Older():
                    self._asked.append(frame.before)
                    self._wake.set()
                case protocol.Stop():
                    self._stop(frame.seq)
                case protocol.Ping():
                    self._reply(protocol.pong())
                case protocol.Hello():
                    raise BadFrame("bad_frame", "only the first frame may be a hello")

    async def _pace(self) -> None:
        now = asyncio.get_running_loop().time()
        earned = (now - self._frame_at) * FRAMES_PER_SECOND
        self._frames_left = min(FRAMES_AT_ONCE, self._frames_left + earned)
        self._frame_at = now
        if self._frames_left < 0:
            await asyncio.sleep(-self._frames_left / FRAMES_PER_SECOND)

    def _say(self, frame: protocol.Send) -> None:
        self._in_flight += 1
        entry = self._entry
        self._room.presence.send(entry.member)
        # A browser's ids must never be taken for a developer's, hence the prefix.
        cid = f"b:{frame.cid}"
        command = commands.Say(entry.member, frame.text, cid, entry.page, entry.waits)
        try:
            entry.log.put(entry.room, command, partial(self._answer, frame.cid))
        except StoreError as exc:
            self._refuse(frame.cid, exc)

    def _answer(self, cid: str, outcome: Outcome | None, error: BaseException | None) -> None:
        if error is not None:
            self._refuse(cid, error)
        elif outcome is not None:
            self._land()
            self._tell_of(cid, outcome.events[0])

    def _tell_of(self, cid: str, became: Event) -> None:
        """Tell the page the outcome of its message; if it is held, wait for that."""
        if became.kind == "submitted":
            self._await(cid, became)
        elif became.kind == "withheld":
            code = became.data["code"]
            # a newer version may have stored a code that has no sentence here
            say = SENTENCES.get(code, SENTENCES["not_accepted"])
            self._reply(protocol.refused(cid, code, say))
        else:
            self._acks.append((cid, became.seq))
            self._wake.set()

    def _await(self, cid: str, sent: Event) -> None:
        """Wait for the outcome of a held message, which its page's session transforms."""
        message, own = HeldMessage.of(sent), self._entry.page
        self._waiting[message.seq] = cid
        for each in {message.page, own} - self._heard_pages.keys():
            self._heard_pages[each] = self._room.follow_page(each, self._hear_pages)
        if message.page != own:  # the page was reloaded, and its old session may be gone
            self._entry.log.put(self._entry.room, message.resubmit(own), _note)

    def _hear_pages(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.kind not in ("message", "withheld"):
                continue
            cid = self._waiting.pop(event.data.get("submitted", 0), None)
            if cid is not None:
                self._tell_of(cid, event)

    def _land(self) -> None:
        self._in_flight -= 1
        self._landed.set()

    def _refuse(self, cid: str, error: BaseException) -> None:
        self._land()
        if not isinstance(error, Refused | StoreError):
            logger.error(
                "a message of %s in room %r could not be stored",
                *(self._entry.member, self._entry.room.id),
                exc_info=error,
            )
            error = Refused("store_broken")
        logger.warning(
            "refused a message of %s in room %r: %s",
            self._entry.member,
            self._entry.room.id,
            error.code,
        )
        say = f"{NOT_STORED} {error.say}" if error.code.startswith("store_") else error.say
        self._reply(protocol.refused(cid, error.code, say))

    def _type(self) -> None:
        membership = self._room.state.membership(self._entry.member)
        if membership is not None and self._room.state.silence(membership) is None:
            self._room.presence.type(self._entry.member)

    def _stop(self, seq: int) -> None:
        stream, membership = self._room.streams.open.get(seq), self._membership()
        if stream is None or stream.stop is None:
            return
        if membership.role == "experimenter" or stream.opening.data.get("by") == membership.member:
            stream.stop()


def _note(outcome: Outcome | None, error: BaseException | None) -> None:
    if error is not None:
        logger.error(
            "a held message could not be passed to the session of its reloaded page", exc_info=error
        )


_ABOUT_ALL = ("configured", "opened", "closed")


async def _first_of(end: asyncio.Future[None], *works: Coroutine[Any, Any, None]) -> None:
    """Run coroutines until the first of them, or `end`, is done; raise its error, if any."""
    tasks = [end, *(asyncio.ensure_future(work) for work in works)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
