"""
The gateway: the websockets of browsers, beside Shiny's, and their admission; and the keys of pages.

After admission, a `Socket` serves one to a room, and a `StudySocket` one to a study.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from shiny_labchat import metrics, protocol, study_protocol
from shiny_labchat.access import tickets
from shiny_labchat.access.page_keys import page_key
from shiny_labchat.errors import BadFrame, Refused, StoreError
from shiny_labchat.garbage import leftovers
from shiny_labchat.gateway.end_link import AddressOf, WordsOf, end_route
from shiny_labchat.gateway.health import health_routes
from shiny_labchat.gateway.limits import OpenSockets, WaitingSockets
from shiny_labchat.gateway.origin import check_origin, judge
from shiny_labchat.gateway.socket import Socket, text_of_frame
from shiny_labchat.gateway.study_socket import StudySocket
from shiny_labchat.gateway.uvicorn_internals import end_all_soon
from shiny_labchat.gateway.withdraw_page import WithdrawWithCode, withdraw_route
from shiny_labchat.live.rooms import LiveRooms
from shiny_labchat.store import Log
from shiny_labchat.words import Words

__all__ = ["KEY_PATH", "PATH", "STUDY_PATH", "Endpoint", "StudyEndpoint", "routes"]

logger = logging.getLogger("shiny_labchat")

PATH = "/labchat/ws"
STUDY_PATH = "/labchat/study"
KEY_PATH = "/labchat/key"
HELLO_WITHIN = 10.0
"""How long a socket may stay open without a valid hello, in seconds."""

SERVICE_RESTART = 1012
"""The websocket's close code of a server that stops; pages connect again."""
LEAVE_WITHIN = 3.0
"""How long a server that stops waits for browsers that read nothing, in seconds."""


def routes(
    logs: Callable[[], Iterable[Log]],
    rooms_of: Callable[[Log], LiveRooms],
    words_of: WordsOf,
    address_of: AddressOf,
    withdraw: WithdrawWithCode,
) -> list[BaseRoute]:
    """The routes of the gateway, for an app; each is described where it is made."""

    async def key(request: Request) -> Response:
        return await _key(request, logs())

    given = logs, rooms_of, words_of
    return [
        WebSocketRoute(PATH, Endpoint(*given)),
        WebSocketRoute(STUDY_PATH, StudyEndpoint(*given)),
        Route(KEY_PATH, key),
        *health_routes(logs),
        end_route(logs, address_of, words_of),
        withdraw_route(logs, withdraw, words_of),
    ]


async def _key(request: Request, logs: Iterable[Log]) -> Response:
    """
    A key for a page of this site.

    A browser lets no other page read it, unless headers allow that, which an app may put on all of
    its responses. So a page that says that it is another one gets none.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site != "same-origin" or judge(request.headers) != "own":
        return PlainTextResponse("only for pages of this site", 403, _UNREADABLE)
    return PlainTextResponse(await page_key(logs), headers=_UNREADABLE)


_UNREADABLE = {
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
"""Headers of what is kept nowhere, and is no script or style sheet of another page."""


class _Endpoint(ABC):
    """
    Serves one browser's socket until either side ends it.

    Parameters
    ----------
    logs
        Returns the logs of all labs that this process has open.
    rooms_of
        Returns the live rooms of such a lab, and the people of its studies.
    words_of
        Returns its words, see `WordsOf`.
    """

    def __init__(
        self,
        logs: Callable[[], Iterable[Log]],
        rooms_of: Callable[[Log], LiveRooms],
        words_of: WordsOf,
    ) -> None:
        self._logs = logs
        self._rooms_of = rooms_of
        self._words_of = words_of
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ws = WebSocket(scope, receive, send)
        await ws.accept()
        self._open += 1
        try:
            await _close_in_words(ws, self._meet(ws, receive, send), self._words_of(None, None))
        except WebSocketDisconnect as exc:
            if exc.code == SERVICE_RESTART:  # the server stops, and waits for all browsers
                end_all_soon(send, LEAVE_WITHIN)
        finally:
            self._open -= 1
            leftovers.ended(self._open)

    @abstractmethod
    async def _meet(self, ws: WebSocket, receive: Receive, send: Send) -> None:
        """Have a page say hello, and serve it if it may come in."""


class Endpoint(_Endpoint):
    __doc__ = _Endpoint.__doc__

    async def _meet(self, ws: WebSocket, receive: Receive, send: Send) -> None:
        with _greeted(ws):
            hello = await _hello(receive, protocol.decode)
            entry = await tickets.enter(self._logs(), hello.token, hello.is_resume)
        words = self._words_of(entry.log, entry.room.study)
        await _close_in_words(ws, self._serve(receive, send, hello, entry, words), words)

    async def _serve(
        self,
        receive: Receive,
        send: Send,
        hello: protocol.Hello,
        entry: tickets.Entry,
        words: Words,
    ) -> None:
        room = await self._rooms_of(entry.log).open(entry.room)
        try:
            if room.state.membership(entry.member) is None:
                await room.catch_up()  # another process may just have made them a member
            socket = Socket(receive, send, entry, room, words)
            with (
                metrics.open_connection("room"),
                _sockets.open((room, entry.member), socket.give_up),
            ):
                await socket.serve(hello)
        finally:
            room.leave()


class StudyEndpoint(_Endpoint):
    """Serves one browser's socket to a study until either side ends it; as `Endpoint`."""

    async def _meet(self, ws: WebSocket, receive: Receive, send: Send) -> None:
        with _greeted(ws):
            hello = await _hello(receive, study_protocol.decode)
            entry = await tickets.enter_study(self._logs(), hello.token, hello.is_resume)
        words = self._words_of(entry.log, entry.study)
        await _close_in_words(ws, self._serve(receive, send, entry, words), words)

    async def _serve(
        self, receive: Receive, send: Send, entry: tickets.StudyEntry, words: Words
    ) -> None:
        socket = StudySocket(receive, send, entry, self._rooms_of(entry.log), words)
        with (
            metrics.open_connection("study"),
            _sockets.open((entry.log, socket.person), socket.give_up),
        ):
            await socket.serve()


@contextmanager
def _greeted(ws: WebSocket) -> Generator[None]:
    """Count a socket of a page that may come as waiting, inside the ``with`` block."""
    check_origin(ws.headers)
    with _waiting.waiting(ws.client.host if ws.client else ""):
        yield


async def _hello(receive: Receive, decode: Callable[[str], object]) -> protocol.Hello:
    """The first frame of a socket."""
    async with asyncio.timeout(HELLO_WITHIN):
        hello = decode(await text_of_frame(receive))
    if not isinstance(hello, protocol.Hello):
        raise BadFrame("bad_frame", "the first frame must be a hello")
    return hello


_waiting = WaitingSockets()
_sockets = OpenSockets()


async def _close_in_words(ws: WebSocket, serving: Awaitable[None], words: Words) -> None:
    """
    Serve a socket; if that fails, send the browser the reason and close the socket.

    Raises
    ------
    WebSocketDisconnect
        The browser is gone, or the server stops.
    """
    code, say, again = "", "", False
    try:
        await serving
    except WebSocketDisconnect:
        raise
    except TimeoutError:
        code = "ticket"
    except (Refused, BadFrame) as exc:
        code, say, again = exc.code, words.refusal(exc), exc.code == "busy"
    except StoreError as exc:
        code, say, again = exc.code, words.refusal(exc), True
    except Exception:
        logger.exception("a socket failed (%s)", _address(ws))
        code, again = "store_broken", True
    if code:
        metrics.refused("connection", code)
        logger.warning("refused a socket of %s: %s", _address(ws), code)
        await _part(ws, code, say or words[code], again)


async def _part(ws: WebSocket, code: str, say: str, again: bool) -> None:
    try:
        async with asyncio.timeout(5):
            if ws.application_state is WebSocketState.CONNECTED:
                await ws.send_text(protocol.bye(code, say, again))
                await ws.close(protocol.CLOSE_CODES.get(code, 1011))
    except (TimeoutError, RuntimeError, WebSocketDisconnect, OSError):
        pass  # the browser is gone


def _address(ws: WebSocket) -> str:
    return f"{ws.client.host}:{ws.client.port}" if ws.client else "somebody"
