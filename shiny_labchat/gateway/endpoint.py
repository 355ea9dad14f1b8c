"""
The gateway: the websocket of browsers, beside Shiny's, and its admission.

After admission, a `Socket` serves it.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urlsplit

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from shiny_labchat import protocol
from shiny_labchat.access import tickets
from shiny_labchat.errors import BadFrame, Refused, StoreError
from shiny_labchat.gateway.limits import OpenSockets, WaitingSockets
from shiny_labchat.gateway.socket import Socket, text_of_frame
from shiny_labchat.live.rooms import LiveRooms
from shiny_labchat.store import Log

__all__ = ["PATH", "Endpoint", "route"]

logger = logging.getLogger("shiny_labchat")

PATH = "/labchat/ws"
HELLO_WITHIN = 10.0
"""How long a socket may stay open without a valid hello, in seconds."""


def route(logs: Callable[[], Iterable[Log]], rooms_of: Callable[[Log], LiveRooms]) -> BaseRoute:
    """The route of the gateway, for an app; see `Endpoint`."""
    return WebSocketRoute(PATH, Endpoint(logs, rooms_of))


class Endpoint:
    """
    Serves one browser's socket until either side ends it.

    Parameters
    ----------
    logs
        Returns the logs of all labs that this process has open.
    rooms_of
        Returns the live rooms of such a lab.
    """

    def __init__(
        self, logs: Callable[[], Iterable[Log]], rooms_of: Callable[[Log], LiveRooms]
    ) -> None:
        self._logs = logs
        self._rooms_of = rooms_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ws = WebSocket(scope, receive, send)
        await ws.accept()
        await _close_in_words(ws, self._serve(ws, receive, send))

    async def _serve(self, ws: WebSocket, receive: Receive, send: Send) -> None:
        check_origin(ws)
        with _waiting.waiting(ws.client.host if ws.client else ""):
            async with asyncio.timeout(HELLO_WITHIN):
                hello = protocol.decode(await text_of_frame(receive))
            if not isinstance(hello, protocol.Hello):
                raise BadFrame("bad_frame", "the first frame must be a hello")
            entry = await tickets.enter(self._logs(), hello.token, hello.is_resume)
        room = await self._rooms_of(entry.log).open(entry.room)
        try:
            if room.state.membership(entry.member) is None:
                await room.catch_up()  # another process may just have made them a member
            socket = Socket(receive, send, entry, room)
            with _sockets.open((room, entry.member), socket.give_up):
                await socket.serve(hello.after)
        finally:
            room.leave()


_waiting = WaitingSockets()
_sockets = OpenSockets()


async def _close_in_words(ws: WebSocket, serving: Awaitable[None]) -> None:
    """Serve a socket; if that fails, send the browser the reason and close the socket."""
    code, say, again = "", None, False
    try:
        await serving
    except WebSocketDisconnect:
        pass
    except TimeoutError:
        code = "ticket"
    except (Refused, BadFrame) as exc:
        code, say, again = exc.code, exc.say, exc.code == "busy"
    except StoreError as exc:
        code, say, again = exc.code, exc.say, True
    except Exception:
        logger.exception("a socket failed (%s)", _address(ws))
        code, again = "store_broken", True
    if code:
        logger.warning("refused a socket of %s: %s", _address(ws), code)
        await _part(ws, code, say, again)


async def _part(ws: WebSocket, code: str, say: str | None, again: bool) -> None:
    try:
        async with asyncio.timeout(5):
            if ws.application_state is WebSocketState.CONNECTED:
                await ws.send_text(protocol.bye(code, say, again))
                await ws.close(protocol.CLOSE_CODES.get(code, 1011))
    except (TimeoutError, RuntimeError, WebSocketDisconnect, OSError):
        pass  # the browser is gone


def check_origin(ws: WebSocket) -> None:
    """
    Refuse a page of another site.

    A browser sends its page's origin. It must be the requested host (``Host``, or
    ``X-Forwarded-Host`` from a proxy), or be listed in the environment variable
    ``LABCHAT_ORIGINS`` (separated by spaces).
    """
    origin = ws.headers.get("origin")
    if origin is None:
        return  # not a browser: it needs a ticket, too
    hosts = {ws.headers.get("host"), *_listed(ws.headers.get("x-forwarded-host"))}
    allowed = os.environ.get("LABCHAT_ORIGINS", "").split()
    if _host_of(origin) not in hosts and origin not in allowed:
        seen = ", ".join(sorted(filter(None, hosts))) or "none"
        logger.error(
            "a page of %s may not use this chat server, as its requests come for the host %s. "
            "Behind a proxy, let it pass on the header Host (or X-Forwarded-Host) as the browser "
            "sent it; or start the server with LABCHAT_ORIGINS=%s",
            *(origin[:200], seen[:200], origin[:200]),
        )
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
