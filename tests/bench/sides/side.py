"""What a side is, and the sockets its people have."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection, connect

__all__ = ["Line", "Person", "Side", "open_line", "uvicorn"]

NARROW = 16_384
"""What the kernel keeps for a browser that does not read, in bytes."""
ENTER_WITHIN = 120.0
"""How long it may take to get in, in seconds; some sides are slow when many come at once."""


class Line(ClientConnection):
    """A socket that knows how many bytes have come over it, compressed as they are."""

    received = 0

    def data_received(self, data: bytes) -> None:
        """Count, and go on."""
        self.received += len(data)
        super().data_received(data)


@dataclass(slots=True)
class Person:
    """
    Somebody in a room.

    Parameters
    ----------
    chat
        The socket that what is said comes over.
    page
        That of their page, if it is another one.
    resume
        What they may come back with, if they can.
    screen
        How much they have been sent for the first screen, in bytes.
    newest
        What their side knows the newest message by that they were sent at first.
    welcomed
        How long that took from opening the chat's own socket, in seconds; nan: there is none.
    """

    chat: Line
    page: Line | None = None
    resume: str = ""
    screen: int = 0
    newest: str = ""
    welcomed: float = nan

    def vanish(self) -> None:
        """Be gone, without a word."""
        self.chat.transport.abort()
        if self.page is not None:
            self.page.transport.abort()


class Side(Protocol):
    """One of the four."""

    @property
    def name(self) -> str:
        """What it is called in the report."""
        ...

    @property
    def hears_own(self) -> bool:
        """Whether a person is sent their own messages too."""
        ...

    def command(self, port: int) -> Sequence[str]:
        """What starts its server."""
        ...

    async def fill(self, url: str, messages: int) -> None:
        """Have so many messages in the room before the server starts."""
        ...

    async def enter(
        self, port: int, room: str, *, deflate: bool = False, narrow: bool = False, newest: str = ""
    ) -> Person:
        """
        Let one more person in; done when what is said from now on reaches them.

        Parameters
        ----------
        port, room
            Where.
        deflate
            Whether their browser accepts compressed frames, as browsers do.
        narrow
            Whether little is kept for them on the way; see `NARROW`.
        newest
            Wait until they have got this text, too.
        """
        ...

    def frame(self, number: int, text: str) -> str:
        """What a browser sends to say something."""
        ...


async def open_line(
    port: int, path: str, *, deflate: bool = False, narrow: bool = False, address: str | None = None
) -> Line:
    """Open a socket to a server on this machine; `address`: one of its own that it comes from."""
    options: dict[str, Any] = {"sock": await _narrow(port)} if narrow else {}
    if address is not None:
        options["local_addr"] = address, 0
    line = await connect(
        f"ws://127.0.0.1:{port}/{path}",
        compression="deflate" if deflate else None,
        create_connection=Line,
        max_size=None,
        max_queue=None,  # a page's socket is not read any more once its person is in
        open_timeout=ENTER_WITHIN,
        ping_interval=None,
        proxy=None,
        **options,
    )
    assert isinstance(line, Line)
    return line


async def _narrow(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    return sock


def uvicorn(app: str, port: int) -> list[str]:
    """
    The command that serves an app, the same for all.

    It is what `shiny run` comes to: asyncio's loop, and uvicorn's websockets.
    """
    options = "--loop", "asyncio", "--port", str(port), "--log-level", "warning"
    return [sys.executable, "-m", "uvicorn", *options, app]
