"""The static files of an app: compressed, and those of this package kept by browsers for good."""

from __future__ import annotations

import asyncio
import os
import posixpath
import re
import zlib
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shiny_labchat.concurrency import Tasks

__all__ = [
    "COMPRESSION",
    "CompressedFiles",
    "PermanentFiles",
    "configure_static_files",
    "takes_gzip",
]

COMPRESSION = "LABCHAT_COMPRESSION"
"""The environment variable that says "off" where files are to be sent as they are."""

MIN_LENGTH = 500
"""Shorter files are sent as they are, in bytes: they fit into a packet or two."""

MAX_LENGTH = 16 * 2**20
"""Longer files are sent as they are, in bytes: to be compressed, a file is read as a whole."""

MAX_KEPT = 16 * 2**20
"""The most that is kept of compressed files, in bytes; then those go that were last used first."""

COMPRESSIBLE = re.compile(
    r"text/(?!event-stream)|image/svg\+xml|font/[ot]tf|"
    r"application/((x-)?javascript|wasm|([\w.-]+\+)?(json|xml))\b"
)
"""Media types that become shorter."""

FOR_GOOD = "public, max-age=31536000, immutable"

Key = tuple[str, str]
"""A file's path, and the tag of its content."""


def configure_static_files(app: Starlette, permanent: Iterable[str]) -> None:
    """
    Compress the static files of a Shiny app, unless `COMPRESSION` is "off".

    Only these: pages and downloads are made for one visitor. Where a secret and something that a
    stranger chose (such as an address's query) are compressed together, the length tells of the
    secret. A static file is the same for everybody.

    Parameters
    ----------
    app
        The app's inner one. What it mounts at its root are its static files.
    permanent
        Folders whose files never change, by their names in addresses.
    """
    is_off = os.environ.get(COMPRESSION, "").strip().lower() == "off"
    for mount in app.router.routes:
        if isinstance(mount, Mount) and mount.path == "":
            files = PermanentFiles(mount.app, permanent)
            mount.app = files if is_off else CompressedFiles(files)


class PermanentFiles:
    """Files, of which browsers keep those in some folders without ever asking for them again."""

    def __init__(self, app: ASGIApp, folders: Iterable[str]) -> None:
        self._app = app
        self._folders = frozenset(folders)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (200, 206, 304):
                MutableHeaders(scope=message).setdefault("Cache-Control", FOR_GOOD)
            await send(message)

        is_permanent = not self._folders.isdisjoint(scope.get("path", "").split("/")[:-1])
        await self._app(scope, receive, send_on if is_permanent else send)


class CompressedFiles:
    """
    Files, which are sent compressed where that makes them shorter.

    Each is compressed once, in a thread, and then kept: at most `MAX_KEPT` bytes of all. What
    answers behind it is asked for each file's tag first, without its content.

    Attributes
    ----------
    size
        How much is kept, in bytes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.size = 0
        self._app = app
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._begun: dict[Key, asyncio.Future[bytes]] = {}
        self._tasks = Tasks("static files")
        self._threads = ThreadPoolExecutor(1, "labchat-gzip")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_varying(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).add_vary_header("Accept-Encoding")
            await send(message)

        found = await self._found(scope)
        if found is None:
            await self._app(scope, receive, send_varying if scope["type"] == "http" else send)
        else:
            start, key = found
            body = await self._compressed(key, scope)
            await send_varying(_as_compressed(start, body))
            await send({"type": "http.response.body", "body": body})

    async def _found(self, scope: Scope) -> tuple[Message, Key] | None:
        """What a file's answer begins with, and its key; None: it is to be sent as it is."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        asked = Headers(scope=scope)
        if "range" in asked or not takes_gzip(asked.get("accept-encoding", "")):
            return None
        start, _ = await _answer(self._app, {**scope, "method": "HEAD"})
        headers = Headers(raw=start["headers"])
        if start["status"] != 200 or not _is_compressible(headers):
            return None
        return start, (_normalized(scope["path"]), headers["etag"])

    async def _compressed(self, key: Key, scope: Scope) -> bytes:
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if key not in self._begun:
            work = asyncio.create_task(self._compress(key, scope))
            work.add_done_callback(lambda _: self._begun.pop(key))
            self._begun[key] = self._tasks.keep(work)
        return await asyncio.shield(self._begun[key])  # one visitor leaves, others wait for it, too

    async def _compress(self, key: Key, scope: Scope) -> bytes:
        _, content = await _answer(self._app, scope)
        loop = asyncio.get_running_loop()
        body = await loop.run_in_executor(self._threads, zlib.compress, content, 9, 16 + 15)
        self._keep(key, body)
        return body

    def _keep(self, key: Key, body: bytes) -> None:
        self._kept[key] = body
        self.size += len(body)
        while self.size > MAX_KEPT:
            _, oldest = self._kept.popitem(last=False)
            self.size -= len(oldest)


def takes_gzip(accepted: str) -> bool:
    """Whether a browser that sends this as Accept-Encoding takes what gzip makes."""
    for each in accepted.lower().split(","):
        coding, _, weight = (part.strip() for part in each.partition(";"))
        if coding in ("gzip", "x-gzip"):
            return re.fullmatch(r"q\s*=\s*0(\.0*)?", weight) is None
    return False


def _normalized(path: str) -> str:
    """A path as the file system understands it: the same for all ways to write it."""
    return posixpath.normpath(path).lstrip("/")


def _is_compressible(headers: Headers) -> bool:
    length = headers.get("content-length", "")
    return (
        "etag" in headers
        and "content-encoding" not in headers
        and "no-transform" not in headers.get("cache-control", "")
        and COMPRESSIBLE.match(headers.get("content-type", "")) is not None
        and length.isdigit()
        and MIN_LENGTH <= int(length) <= MAX_LENGTH
    )


def _as_compressed(start: Message, body: bytes) -> Message:
    headers = MutableHeaders(raw=[*start["headers"]])
    headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(body))
    headers["ETag"] = f"W/{headers['etag'].removeprefix('W/')}"  # the bytes are others
    del headers["Accept-Ranges"]
    return {**start, "headers": headers.raw}


async def _answer(app: ASGIApp, scope: Scope) -> tuple[Message, bytes]:
    """
    What an app answers, whole: no server takes the content from a file by itself.

    The app is asked in nobody's name. If its visitor could leave, a file would be cut off there,
    and would be kept so for all others.
    """
    start: Message = {}
    body = bytearray()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    async def receive() -> Message:
        return await asyncio.get_running_loop().create_future()  # never

    await app({**scope, "extensions": {}}, receive, send)
    return start, bytes(body)
