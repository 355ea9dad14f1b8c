"""The address of an app, and what its server answers there."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

__all__ = ["Address", "Answer", "Browser"]

PATIENCE = 15.0
"""How long an answer may take, in seconds."""
MAX_BODY = 1_000_000
"""Most bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Address:
    """
    The address of an app's page, which ends with a slash.

    Attributes
    ----------
    url
        The address.
    """

    url: str

    @classmethod
    def of(cls, said: str) -> Address:
        """
        The address that somebody has said.

        Raises
        ------
        ValueError
            It is none.
        """
        parts = urlsplit(said)
        if "@" in parts.netloc:  # which is not repeated: it may have a password
            raise ValueError("the address must have no user and no password before its host")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{said!r} is not an address such as https://lab.example.org/pilot/")
        return cls(f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/")

    @property
    def origin(self) -> str:
        """What browsers say that its pages are of."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return urlsplit(self.url).hostname in ("localhost", "127.0.0.1", "::1")

    @property
    def is_secret(self) -> bool:
        """Whether what is sent to it is encrypted."""
        return self.url.startswith("https:")

    def at(self, path: str) -> str:
        """The address of something beside the page; `path` as the gateway has it."""
        return self.url + path.removeprefix("/")

    def socket(self, path: str) -> str:
        """The address of a websocket beside the page."""
        return self.at(path).replace("http", "ws", 1)


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What a server has answered.

    Attributes
    ----------
    status
        The status; 0: there was no answer.
    text
        The body, or why there was no answer.
    began, ended
        When it was asked, and when it had answered: seconds since 1970 (UTC).
    """

    status: int
    text: str
    began: float
    ended: float

    @property
    def values(self) -> Mapping[str, Any]:
        """The body as JSON; empty if it is none."""
        try:
            read = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return cast(Mapping[str, Any], read) if isinstance(read, dict) else {}


class Browser:
    """Asks a server as one browser does, which keeps its cookies."""

    def __init__(self) -> None:
        self.cookies = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self.cookies))

    async def ask(self, url: str) -> Answer:
        """Ask, over a connection of its own."""
        return await asyncio.to_thread(_ask, self._opener, url)


def _ask(opener: OpenerDirector, url: str) -> Answer:
    began = time.time()
    try:
        status, body = _fetch(opener, Request(url, headers={"connection": "close"}))
    except URLError as exc:
        return Answer(0, str(exc.reason), began, time.time())
    except (OSError, http.client.HTTPException, ValueError) as exc:  # the last: a bad redirect
        return Answer(0, str(exc) or type(exc).__name__, began, time.time())
    return Answer(status, body.decode("utf-8", "replace"), began, time.time())


def _fetch(opener: OpenerDirector, request: Request) -> tuple[int, bytes]:
    try:
        with opener.open(request, timeout=PATIENCE) as got:
            return got.status, got.read(MAX_BODY)
    except HTTPError as exc:  # an answer, too
        return exc.code, exc.read(MAX_BODY)
