"""A NATS server as bus: core NATS, without JetStream. A subject for each topic."""

from __future__ import annotations

# The types of its driver are partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
import asyncio
from collections.abc import Collection, Sequence

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error

from shiny_labchat.bus.base import BusDown, Hear, Message

__all__ = ["NatsTransport"]

CONNECT_TIMEOUT = 2
"""How long connecting may take, in seconds."""
FAILURES = (Error, OSError, TimeoutError, ValueError)


class NatsTransport:
    """
    A connection to a NATS server; see `Transport`.

    Parameters
    ----------
    url
        The server; several of a cluster with commas between them.
    """

    has_topics = True

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Client | None = None
        self._subscriptions: dict[str, Subscription] = {}

    async def open(self, lab: str, hear: Hear) -> None:
        self._lab = f"{lab}."
        self._hear = hear
        self._lost: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        try:
            self._client = await nats.connect(
                self._url.split(","),
                allow_reconnect=False,
                connect_timeout=CONNECT_TIMEOUT,
                error_cb=self._note,
                closed_cb=self._note_end,
            )
        except FAILURES as exc:
            raise BusDown(_reason(exc)) from exc

    @property
    def _open(self) -> Client:
        if self._client is None or self._client.is_closed:
            raise BusDown("the connection was lost")
        return self._client

    async def subscribe(self, topics: Collection[str]) -> None:
        try:
            for topic in topics:
                if topic in self._subscriptions:
                    continue
                made = await self._open.subscribe(f"{self._lab}{topic}", cb=self._take)
                self._subscriptions[topic] = made
            await self._open.flush(CONNECT_TIMEOUT)
        except FAILURES as exc:
            raise BusDown(_reason(exc)) from exc

    async def unsubscribe(self, topics: Collection[str]) -> None:
        try:
            for topic in topics:
                if (made := self._subscriptions.pop(topic, None)) is not None:
                    await made.unsubscribe()
        except FAILURES as exc:
            raise BusDown(_reason(exc)) from exc

    async def publish(self, messages: Sequence[Message]) -> None:
        try:
            for topic, data in messages:
                await self._open.publish(f"{self._lab}{topic}", data)
        except FAILURES as exc:
            raise BusDown(_reason(exc)) from exc

    async def run(self) -> None:
        raise BusDown(_reason(await self._lost))

    async def close(self) -> None:
        if self._client is not None and not self._client.is_closed:
            await self._client.close()

    async def _take(self, message: Msg) -> None:
        self._hear(Message(message.subject.removeprefix(self._lab), message.data))

    async def _note(self, exc: Exception) -> None:
        """Note an error; the connection is given up, as one that is too slow loses messages."""
        if not self._lost.done():
            self._lost.set_result(exc)

    async def _note_end(self) -> None:
        await self._note(ConnectionError("the connection was lost"))


def _reason(exc: Exception) -> str:
    return str(exc) or type(exc).__name__
