"""The websockets of a server, as a browser opens them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import cast

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from shiny_labchat.doctor.address import Address
from shiny_labchat.doctor.finding import Finding, note, ok, wrong
from shiny_labchat.gateway.endpoint import PATH
from shiny_labchat.protocol import VERSION

__all__ = ["FOREIGN", "check_idle", "check_sockets"]

SHINYS = "/websocket/"
FOREIGN = "https://labchat-doctor.invalid"
"""An origin that no page has."""
PATIENCE = 15.0
"""How long a server may take, in seconds."""
FAILURES = (OSError, WebSocketException, ValueError)
"""What opening and reading raise; the last: a redirect to what is no address."""
PASS_ON = (
    "have the proxy pass on websockets (nginx: proxy_http_version 1.1, and the headers Upgrade and "
    "Connection)"
)
HOST = (
    "have the proxy pass on Host (nginx: proxy_set_header Host $http_host), or set LABCHAT_ORIGINS"
)

_HELLO = {"t": "hello", "v": VERSION, "ticket": "doctor", "after": ""}


class _Refused(Exception):
    """No websocket could be opened; says why."""


async def check_sockets(address: Address) -> AsyncIterator[Finding]:
    """Look at both websockets of a page, and who may open the chat's."""
    yield await _check_shinys(address)
    try:
        own = await _goodbye(address, address.origin)
    except _Refused as exc:
        yield wrong("chat's socket", f"it cannot be opened: {exc}", PASS_ON)
        return
    if own == "origin":
        says = "it is refused to pages of this address: the server is told another host"
        yield wrong("chat's socket", says, HOST)
        return
    if own != "ticket":
        says = f"it answers {own!r}, not as expected"
        yield note("chat's socket", says, "try again; if it stays so, see this code in the docs")
        return
    yield ok("chat's socket", "it is open to pages of this address")
    try:
        foreign = await _goodbye(address, FOREIGN)
    except _Refused:  # by a proxy, before the app was asked
        foreign = "origin"
    yield check_foreign(foreign, address.is_local)


def check_foreign(code: str, is_local: bool) -> Finding:
    """Look at what a page of another site was told; `is_local`: at an address of this machine."""
    if code == "origin":
        return ok("other sites", "pages of other sites are refused")
    if is_local:
        says = "at an address of this machine it cannot be told whether they are refused"
        return note("other sites", says, "give the --address that browsers use")
    says = "whether a page is of another site cannot be told; only the keys of pages tell"
    return note("other sites", says, HOST)


async def _check_shinys(address: Address) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE):
            async with _opened(address, SHINYS, address.origin):
                return ok("Shiny's socket", "it can be opened")
    except FAILURES as exc:
        return wrong("Shiny's socket", f"it cannot be opened: {_why(exc)}", PASS_ON)


async def _goodbye(address: Address, origin: str) -> str:
    """The code with which the chat's socket refuses somebody who has no ticket."""
    try:
        async with asyncio.timeout(PATIENCE), _opened(address, PATH, origin) as socket:
            await socket.send(json.dumps(_HELLO))
            async for text in socket:
                if (code := _code_of(text)) is not None:
                    return code
    except FAILURES as exc:
        raise _Refused(_why(exc)) from exc
    return "nothing"


def _code_of(text: str | bytes) -> str | None:
    """The code of a frame that ends the connection; None: it is another frame, or none of ours."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return None
    fields = cast(dict[str, object], frame) if isinstance(frame, dict) else {}
    return str(fields.get("code")) if fields.get("t") == "bye" else None


async def check_idle(address: Address, seconds: float) -> Finding:
    """Look whether a websocket lasts on which no browser sends anything."""
    began = time.monotonic()
    try:
        async with _opened(address, SHINYS, address.origin) as socket:
            async with asyncio.timeout(seconds):
                while True:
                    await socket.recv()
    except TimeoutError:
        return ok("idle socket", f"it was open for {seconds:.0f} s although nothing was said")
    except FAILURES as exc:
        says = f"it was ended after {time.monotonic() - began:.0f} s: {_why(exc)}"
        change = "raise the proxy's time-out (nginx: proxy_read_timeout 1h)"
        return wrong("idle socket", says, change)


def _opened(address: Address, path: str, origin: str) -> connect:
    headers = {"origin": origin}
    return connect(
        address.socket(path), additional_headers=headers, ping_interval=None, close_timeout=1
    )


def _why(exc: BaseException) -> str:
    if isinstance(exc, InvalidStatus):
        return f"the answer was {exc.response.status_code}"
    if isinstance(exc, TimeoutError):
        return f"there was no answer within {PATIENCE:.0f} s"
    return str(exc) or type(exc).__name__
