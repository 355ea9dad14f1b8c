"""What a page loads, over which line, and when."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Page, Route

__all__ = ["RENDERER", "Line", "Loaded", "held"]

RENDERER = re.compile(r"/shinychat\.js(\?|$)")
"""The address of what renders markdown."""


@dataclass(frozen=True)
class Line:
    """
    A slow connection.

    Parameters
    ----------
    latency
        From a request to the first byte of its answer, in milliseconds.
    throughput
        In each direction, in bits per second.
    """

    latency: float
    throughput: float

    def slow(self, page: Page) -> None:
        """Give a page this connection."""
        conditions = {
            "offline": False,
            "latency": self.latency,
            "downloadThroughput": self.throughput / 8,
            "uploadThroughput": self.throughput / 8,
        }
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", conditions)


@dataclass
class Loaded:
    """
    What a page has loaded so far.

    Attributes
    ----------
    urls
        The addresses that it has asked for, in order. Those of websockets are not among them.
    size
        How much has come, as it was transferred, in bytes.
    happened
        What came first: its newest "request" of the renderer, its "welcome" to the room.
    """

    urls: list[str] = field(default_factory=list)
    size: int = 0
    happened: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Note what a page loads from now on."""
        session = page.context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", self._begin)
        session.on("Network.loadingFinished", self._end)
        session.on("Network.webSocketFrameReceived", self._hear)
        session.send("Network.enable")

    @property
    def renderers(self) -> list[str]:
        """The addresses of the renderer among them."""
        return [url for url in self.urls if RENDERER.search(url)]

    def _begin(self, event: Any) -> None:
        url = event["request"]["url"]
        if url.startswith("http") and not url.endswith("/favicon.ico"):
            self.urls.append(url)
        if RENDERER.search(url):
            self.happened.append("request")

    def _end(self, event: Any) -> None:
        self.size += int(event["encodedDataLength"])

    def _hear(self, event: Any) -> None:
        if '"t":"welcome"' in event["response"]["payloadData"]:
            self.happened.append("welcome")


def held(context: BrowserContext) -> Callable[[], None]:
    """Let the renderer come to no page of a browser until what is returned is called."""
    waiting: list[Route] = []
    is_open = False

    def hold(route: Route) -> None:
        if is_open:
            route.continue_()
        else:
            waiting.append(route)

    def let_it_come() -> None:
        nonlocal is_open
        is_open = True
        for route in waiting:
            route.continue_()

    context.route(RENDERER, hold)
    return let_it_come
