"""A Redis or Valkey server as bus: publish and subscribe, nothing is stored."""

from __future__ import annotations

# The types of its driver are partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
from collections.abc import Collection, Sequence

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shiny_labchat.bus.base import BusDown, Hear, Message

__all__ = ["RedisTransport"]

TIMEOUT = 2.0
"""How long connecting, and sending a command, may take, in seconds."""
FAILURES = (RedisError, OSError, ValueError)


class RedisTransport:
    """
    A connection to a Redis or Valkey server; see `Transport`.

    Parameters
    ----------
    url
        The server.
    """

    has_topics = True

    def __init__(self, url: str) -> None:
        self._client = Redis.from_url(
            url,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        self._pubsub = self._client.pubsub()

    async def open(self, lab: str, hear: Hear) -> None:
        self._lab = f"{lab}."
        self._hear = hear
        try:
            await self._client.ping()
        except FAILURES as exc:
            raise BusDown(_reason(exc)) from exc

    async def subscribe(self, topics: Collection[str]) -> None:
        try:
            await self._pubsub.subscribe(*(f"{self._lab}{topic}" for topic in topics))
        except FAILURES as exc:
            raise BusDown(_reason(exc)) from exc

    async def unsubscribe(self, topics: Collection[str]) -> None:
        try:
            await self._pubsub.unsubscribe(*(f"{self._lab}{topic}" for topic in topics))
        except FAILURES as exc:
            raise BusDown(_reason(exc)) from exc

    async def publish(self, messages: Sequence[Message]) -> None:
        try:
            async with self._client.pipeline(transaction=False) as pipeline:
                for topic, data in messages:
                    pipeline.publish(f"{self._lab}{topic}", data)
                await pipeline.execute()
        except FAILURES as exc:
            raise BusDown(_reason(exc)) from exc

    async def run(self) -> None:
        while True:
            try:
                found = await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0)
            except FAILURES as exc:
                raise BusDown(_reason(exc)) from exc
            if found is not None:
                topic = found["channel"].decode().removeprefix(self._lab)
                self._hear(Message(topic, found["data"]))

    async def close(self) -> None:
        try:
            await self._pubsub.aclose()
        finally:
            await self._client.aclose()


def _reason(exc: Exception) -> str:
    return str(exc) or type(exc).__name__
