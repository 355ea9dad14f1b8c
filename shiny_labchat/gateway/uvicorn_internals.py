"""
Everything that is used of uvicorn and is not public, in one place.

An ASGI server frames and encodes a message anew for each socket that it is sent to. With uvicorn's
own connection at hand, the same bytes are written to all of them. This is done with versions that
the tests have seen, and only while the connection is as it is expected; else ASGI is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakSet

import uvicorn
from starlette.types import Send
from websockets.protocol import State

__all__ = ["MOST_UNCOMPRESSED", "TESTED", "end_all_soon", "needs_no_task", "writer_of"]

TESTED = ("0.54",)
"""The versions of uvicorn whose connections are written to directly."""
MOST_UNCOMPRESSED = 1_024
"""
Longest frame that is written uncompressed to a connection that compresses, in bytes; that is legal,
and saves the server's processor more than it costs the line.
"""

_CONNECTION = "uvicorn.protocols.websockets.websockets_sansio_impl", "WebSocketsSansIOProtocol"
_WRAPPER = (
    "starlette._exception_handler",
    "wrap_app_handling_exceptions.<locals>.wrapped_app.<locals>.sender",
)
_EXPECTED = ("transport", "writable", "close_sent", "disconnected", "handshake_complete", "conn")


def needs_no_task(send: Send) -> bool:
    """Whether an ASGI `send` may be begun outside of a task."""
    return _connection_of(send) is not None


def writer_of(send: Send, version: str = uvicorn.__version__) -> Callable[[bytes], bool] | None:
    """
    A function that writes a frame to the connection behind `send`; None: there is no such.

    It returns whether it has written: it has not, if the connection is closing, or has too much to
    send already, or compresses, and the frame is long.
    """
    connection = _connection_of(send)
    is_tested = ".".join(version.split(".")[:2]) in TESTED
    if not is_tested or not all(hasattr(connection, name) for name in _EXPECTED):
        return None

    # Each frame is written to each socket, so what stays the same is looked up once.
    conn, transport = connection.conn, connection.transport
    send_bytes, is_closing = transport.write, transport.is_closing
    is_writable, compresses = connection.writable.is_set, bool(conn.extensions)

    def write(frame: bytes) -> bool:
        if (
            not is_writable()
            or connection.close_sent
            or connection.disconnected
            or conn.state is not State.OPEN
            or is_closing()
            or (compresses and len(frame) > MOST_UNCOMPRESSED)
        ):
            return False
        send_bytes(frame)
        return True

    return write


def end_all_soon(send: Send, within: float) -> None:
    """
    Have connections ended that the server has closed, but whose browsers do not read the rest.

    A server that stops waits for them for ever, and so never comes to the end of its work. With
    another server than uvicorn this does nothing; nor if the browser has closed its connection, as
    it may say whatever reason it likes.

    Parameters
    ----------
    send
        The ASGI function of one of the connections.
    within
        Seconds that browsers have until then.
    """
    loop, connection = asyncio.get_running_loop(), _connection_of(send)
    if connection is None or getattr(connection.conn, "close_rcvd", None) is not None:
        return
    if loop not in _ending:  # each of its sockets asks for it
        _ending.add(loop)
        loop.call_later(within, _end_closing, loop, connection.connections)


_ending: WeakSet[asyncio.AbstractEventLoop] = WeakSet()
"""The event loops in which connections will be ended."""


def _end_closing(loop: asyncio.AbstractEventLoop, connections: Iterable[Any]) -> None:
    _ending.discard(loop)
    for each in tuple(connections):
        transport = getattr(each, "transport", None)
        if transport is not None and transport.is_closing():
            transport.abort()


def _connection_of(send: Any) -> Any:
    """
    The connection whose method `send` is; None: of another kind, or not a connection's.

    Starlette's own wrappers are looked through. Whoever else stands between, such as a middleware
    of the app, is to see each message.
    """
    while (getattr(send, "__module__", ""), getattr(send, "__qualname__", "")) == _WRAPPER:
        at = send.__code__.co_freevars.index("send")
        send = send.__closure__[at].cell_contents
    connection: object = getattr(send, "__self__", None)
    kind = type(connection)
    is_expected = (kind.__module__, kind.__qualname__) == _CONNECTION
    return connection if is_expected and send.__name__ == "send" else None
