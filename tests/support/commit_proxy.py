"""A network between a program and PostgreSQL that fails while something is committed."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Literal

__all__ = ["CommitProxy"]

_WRITER = b"idle_in_transaction_session_timeout"
"""What only the writer asks for when it connects."""

How = Literal["cut before", "cut after", "silent"]
"""
Cut before the server has the commit, or after it has answered; or silent: the answer is held back.
"""


class CommitProxy:
    """
    Passes bytes between its own port and a server's, and fails at a writer's commit if told to.

    Parameters
    ----------
    to
        The server's port.

    Attributes
    ----------
    port
        The port of 127.0.0.1 that it listens at.
    fails
        How it fails at the next commit, once; None: not at all.
    failed
        How often it has failed.
    """

    def __init__(self, to: int) -> None:
        self.fails: How | None = None
        self.failed = 0
        self._to = to
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            self._open += [client, server]
            pair = _Pair(self, client, server)
            for way in (pair.up, pair.down):
                threading.Thread(target=way, daemon=True).start()

    def take(self) -> How | None:
        """How to fail at a commit."""
        fails, self.fails = self.fails, None
        self.failed += fails is not None
        return fails

    def close(self) -> None:
        """End all connections."""
        for each in (self._listener, *self._open):
            _end(each)


class _Pair:
    def __init__(self, proxy: CommitProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client, self._server = client, server
        self._fails: How | None = None

    def up(self) -> None:
        is_writer = False
        with suppress(OSError):
            while data := self._client.recv(65_536):
                is_writer = is_writer or _WRITER in data
                if is_writer and b"COMMIT\0" in data:
                    self._fails = self._proxy.take()
                if self._fails == "cut before":
                    break
                self._server.sendall(data)
        self._end()

    def down(self) -> None:
        with suppress(OSError):
            while data := self._server.recv(65_536):
                if self._fails == "cut after":
                    break
                if self._fails is None:
                    self._client.sendall(data)
        if self._fails != "silent":
            self._end()

    def _end(self) -> None:
        _end(self._client)
        _end(self._server)


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
