"""
The gateway: browsers' own websocket, beside Shiny's.

A socket has two tasks. One reads frames and turns them into commands, without waiting for what
becomes of them. The other sends: it sleeps until something is owed, and then sends all that is
owed. What is owed follows from the socket's cursor and numbers, so a browser that stops reading
makes only its own task wait. All it costs is the frames that are being sent: those of one page of
the log, `LiveRoom.missed`, and what the transport buffers.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from shiny_labchat import _decide, _door, _wire
from shiny_labchat._domain import Event, Seat
from shiny_labchat._doorstep import Doorstep, Places
from shiny_labchat._live import Live, LiveRoom
from shiny_labchat._window import Page
from shiny_labchat.errors import BadFrame, Refused, StoreError
from shiny_labchat.store import Outcome

__all__ = ["PATH", "Endpoint", "Socket", "route"]

logger = logging.getLogger("shiny_labchat")

PATH = "/labchat/ws"
HELLO_WITHIN = 10.0
"""How long a socket may be open without a valid hello, in seconds."""
IN_FLIGHT = 32
"""Messages of one socket that may wait to be stored; then its next frame is not read yet."""
REPLIES = 4
"""Answers that may wait to be sent; then the socket's next frame waits too."""
FRAMES_PER_SECOND = 100
"""Frames of one socket that are read per second; a flood is read no faster, and not dropped."""
FRAMES_AT_ONCE = 200
LAST_WORDS = 1.0
"""How long what a browser has sent is still read when nothing reaches it any more, in seconds."""


def route() -> BaseRoute:
    """The route to put into an app."""
    return WebSocketRoute(PATH, Endpoint())


class Endpoint:
    """Serves one browser's socket until either side ends it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _converse(WebSocket(scope, receive, send), receive, send)


async def _converse(ws: WebSocket, receive: Receive, send: Send) -> None:
    await ws.accept()
    code, say, again = "", None, False
    try:
        await _serve(ws, receive, send)
    except WebSocketDisconnect:
        pass
    except TimeoutError:
        code = "ticket"
    except (Refused, BadFrame) as exc:
        code, say, again = exc.code, exc.say, exc.code == "busy"
    except StoreError as exc:
        code, say, again = exc.code, exc.say, True
    except Exception:
        logger.exception("a socket failed")
        code, again = "store_broken", True
    if code:
        logger.warning("refused a socket of %s: %s", _address(ws), code)
        await _part(ws, code, say, again)


async def _serve(ws: WebSocket, receive: Receive, send: Send) -> None:
    check_origin(ws)
    with _doorstep.waiting(ws.client.host if ws.client else ""):
        async with asyncio.timeout(HELLO_WITHIN):
            hello = _wire.decode(await _text(receive))
        if not isinstance(hello, _wire.Hello):
            raise BadFrame("bad_frame", "the first frame must be a hello")
        entry = await _door.enter(hello.token, hello.is_resume)
    room = await Live.of(entry.log).open(entry.room)
    try:
        if room.state.seat(entry.member) is None:
            await room.catch_up()  # another process may have let them in a moment ago
        socket = Socket(receive, send, entry, room)
        with _places.taken((room, entry.member), socket.give_up):
            await socket.serve(hello.after)
    finally:
        room.leave()


_doorstep = Doorstep()
_places = Places()


async def _text(receive: Receive) -> str:
    message = await receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text = message.get("text")
    if text is None:
        raise BadFrame("bad_frame", "bytes, not text")
    return text


async def _part(ws: WebSocket, code: str, say: str | None, again: bool) -> None:
    try:
        async with asyncio.timeout(5):
            if ws.application_state is WebSocketState.CONNECTED:
                await ws.send_text(_wire.bye(code, say, again))
                await ws.close(_wire.CLOSE_CODES.get(code, 1011))
    except (TimeoutError, RuntimeError, WebSocketDisconnect, OSError):
        pass  # nobody is there to hear it


def check_origin(ws: WebSocket) -> None:
    """
    Refuse a page of another site.

    A browser names its page's origin; it must be the host it asked (also as a proxy passes it
    on), or be listed in the environment variable ``LABCHAT_ORIGINS`` (separated by spaces).
    """
    origin = ws.headers.get("origin")
    if origin is None:
        return  # no browser: it needs a ticket all the same
    hosts = {ws.headers.get("host"), *_listed(ws.headers.get("x-forwarded-host"))}
    allowed = os.environ.get("LABCHAT_ORIGINS", "").split()
    if _host_of(origin) not in hosts and origin not in allowed:
        raise Refused("origin", detail=f"Its origin is {origin}.")


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _listed(header: str | None) -> list[str]:
    return [part.strip() for part in (header or "").split(",") if part.strip()]


def _address(ws: WebSocket) -> str:
    return f"{ws.client.host}:{ws.client.port}" if ws.client else "somebody"


class Socket:
    """
    One open socket of a member's page.

    Parameters
    ----------
    receive, send
        The accepted websocket, as ASGI has it: what lies above costs as much as all we do.
    entry
        What its hello was good for.
    room
        The live room.

    Raises
    ------
    Refused
        Its person is no member of the room (any more).
    """

    def __init__(self, receive: Receive, send: Send, entry: _door.Entry, room: LiveRoom) -> None:
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
        self._state = ""
        self._state_changed = False
        self._seen_here = self._seen_typing = 0
        self._frames_left = float(FRAMES_AT_ONCE)
        self._frame_at = asyncio.get_running_loop().time()

    async def serve(self, after: int) -> None:
        """Welcome the browser, then read and send until it goes or may not stay."""
        self._state = _wire.state(self._room.state, self._seat())
        presence = self._room.presence
        unfollow = self._room.follow(self._hear, first=True), presence.follow(self._wake.set)
        presence.come(self._entry.member)
        self._room.page_came(self._entry.page)
        self._wake.set()  # who is here is owed even if that is no news to others
        try:
            await _first_of(self._given_up, self._read(), self._send_all(after))
        finally:
            presence.go(self._entry.member)
            self._room.page_went(self._entry.page)
            for end in unfollow:
                end()

    def give_up(self) -> None:
        """End it: its person has opened too many others since."""
        if not self._given_up.done():
            self._given_up.set_exception(Refused("too_many_tabs"))

    def _seat(self) -> Seat:
        seat = self._room.state.seats.get(self._entry.member)
        if seat is None:
            raise Refused("not_member")
        if seat.is_removed:
            raise Refused("removed")
        return seat

    async def _welcome(self, after: int) -> str:
        room, seat = self._room, self._seat()
        reset = after == 0 or room.is_lost(after)
        self._cursor = room.state.seq if reset else after  # what comes after it is owed as news
        page = await room.newest(seat) if reset else Page([], False)
        seat = self._seat()
        self._wake.set()
        resume = self._entry.resume
        return _wire.welcome(room.state, seat, resume, self._cursor, page.items, page.more, reset)

    # ── sending ──

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.kind in _ABOUT_ALL or event.member == self._entry.member:
                self._state_changed = True
        self._wake.set()

    async def _send_all(self, after: int) -> None:
        try:
            await self._send(await self._welcome(after))
            while True:
                await self._wake.wait()
                self._wake.clear()
                for frames in _wire.together(await self._owed()):
                    await self._send(frames)
        except WebSocketDisconnect:
            await asyncio.sleep(LAST_WORDS)  # what it said before it went is still read
            raise

    async def _owed(self) -> list[str]:
        room, seat = self._room, self._seat()
        if room.is_void:
            raise StoreError("store_gone", str(room.key), "the database was exchanged")
        owed = [_wire.acks(self._acks)] if self._acks else []
        self._acks.clear()
        if self._cursor < room.state.seq:
            owed += await self._news(seat)
        if self._state_changed:
            self._state_changed = False
            owed += self._new_state(seat)
        here, typing = room.presence.here, room.presence.typing
        if self._seen_here != here.number:
            self._seen_here = here.number
            owed.append(here.frame)
        if self._seen_typing != typing.number:
            self._seen_typing = typing.number
            owed.append(typing.frame)
        owed += self._replies
        self._replies.clear()
        self._replied.set()
        return owed

    async def _news(self, seat: Seat) -> list[str]:
        room = self._room
        if room.is_lost(self._cursor):
            return [await self._welcome(0)]
        if room.is_behind(self._cursor):
            frames, self._cursor = await room.missed(self._cursor, seat)
            self._seat()  # who was removed while it was read gets nothing
        else:
            frame, self._cursor = room.frame(self._cursor, seat)
            frames = [] if frame is None else [frame]
        if self._cursor < room.state.seq:
            self._wake.set()
        return frames

    def _new_state(self, seat: Seat) -> list[str]:
        frame = _wire.state(self._room.state, seat)
        if frame == self._state:
            return []
        self._state = frame
        return [frame]

    async def _send(self, frames: str) -> None:
        try:
            await self._transmit({"type": "websocket.send", "text": frames})
        except (RuntimeError, OSError) as exc:  # servers' words for a socket that has closed
            raise WebSocketDisconnect(1006) from exc

    def _reply(self, frame: str) -> None:
        self._replies.append(frame)
        self._wake.set()

    # ── reading ──

    async def _read(self) -> None:
        while True:
            frame = _wire.decode(await _text(self._receive))
            self._frames_left -= 1
            if self._frames_left < 0:
                await self._pace()
            while len(self._replies) > REPLIES:  # it asks, and does not read
                self._replied.clear()
                await self._replied.wait()
            match frame:
                case _wire.Send():
                    while self._in_flight >= IN_FLIGHT:
                        self._landed.clear()
                        await self._landed.wait()
                    self._say(frame)
                case _wire.Typing():
                    self._type()
                case _wire.Older():
                    await self._older(frame)
                case _wire.Ping():
                    self._reply(_wire.pong())
                case _wire.Hello():
                    raise BadFrame("bad_frame", "a second hello")

    async def _pace(self) -> None:
        now = asyncio.get_running_loop().time()
        earned = (now - self._frame_at) * FRAMES_PER_SECOND
        self._frames_left = min(FRAMES_AT_ONCE, self._frames_left + earned)
        self._frame_at = now
        if self._frames_left < 0:
            await asyncio.sleep(-self._frames_left / FRAMES_PER_SECOND)

    def _say(self, frame: _wire.Send) -> None:
        self._in_flight += 1
        entry = self._entry
        # A browser's ids must never be taken for a developer's, hence the prefix.
        command = _decide.Say(entry.member, frame.text, f"b:{frame.cid}", entry.page)
        try:
            entry.log.put(entry.room, command, partial(self._answer, frame.cid))
        except StoreError as exc:
            self._refuse(frame.cid, exc)

    def _answer(self, cid: str, outcome: Outcome | None, error: BaseException | None) -> None:
        if error is not None:
            self._refuse(cid, error)
        elif outcome is not None:
            self._land()
            self._acks.append((cid, outcome.events[0].seq))
            self._wake.set()

    def _land(self) -> None:
        self._in_flight -= 1
        self._landed.set()

    def _refuse(self, cid: str, error: BaseException) -> None:
        self._land()
        if not isinstance(error, Refused | StoreError):
            logger.error("a message could not be stored", exc_info=error)
            error = Refused("store_broken")
        logger.warning(
            "refused a message of %s in %r: %s", self._entry.member, self._entry.room.id, error.code
        )
        self._reply(_wire.refused(cid, error.code, error.say))

    def _type(self) -> None:
        seat = self._room.state.seat(self._entry.member)
        if seat is not None and self._room.state.silence(seat) is None:
            self._room.presence.type(self._entry.member)

    async def _older(self, frame: _wire.Older) -> None:
        page = await self._room.older(frame.before, self._seat())
        self._seat()  # who was removed while it was read gets nothing
        self._reply(_wire.older(page.items, page.more))


_ABOUT_ALL = ("configured", "opened", "closed")


async def _first_of(end: asyncio.Future[None], *works: Coroutine[Any, Any, None]) -> None:
    """Do several things until the first of them, or `end`, is done, and end as that does."""
    tasks = [end, *(asyncio.ensure_future(work) for work in works)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
