"""A proxy that ends TLS in front of a model server, for apps that only know the real name."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

__all__ = ["TlsDoor"]


class TlsDoor:
    """
    A proxy on this machine behind which a host's name leads to a model server's port.

    Clients come by ``HTTPS_PROXY`` and trust its own authority; nothing leaves the machine.

    Parameters
    ----------
    host
        The name, such as "api.openai.com".
    to
        The model server's port.

    Attributes
    ----------
    environ
        What leads a process through the proxy.
    """

    def __init__(self, host: str, to: int) -> None:
        self._to = to
        self._folder = tempfile.TemporaryDirectory()
        authority = trustme.CA()
        trusted = Path(self._folder.name) / "authority.pem"
        authority.cert_pem.write_to_path(str(trusted))
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(self._tls)
        self.environ = {"SSL_CERT_FILE": str(trusted)}
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        port = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        self.environ |= {"HTTPS_PROXY": f"http://127.0.0.1:{port}", "NO_PROXY": ""}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._folder.cleanup()

    async def _open(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._forward(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back = None
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await writer.start_tls(self._tls)
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
            await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass  # whoever was there has gone
        finally:
            for end in (writer, back):
                if end is not None:
                    end.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
        await writer.drain()
    writer.close()
