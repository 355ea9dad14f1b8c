"""PostgreSQL as bus: NOTIFY and LISTEN, one channel for a lab, several messages at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import psycopg
from psycopg import sql

from shiny_labchat.bus.base import BusDown, Hear, Message

__all__ = ["PostgresTransport"]

CONNECT_TIMEOUT = 2
"""How long connecting may take, in seconds."""
LONGEST = 7_900
"""Most bytes of a notification; PostgreSQL takes less than 8,000."""
WAIT = 5.0
"""Pause after which an idle connection is used, so that its loss is noticed, in seconds."""

_LISTEN = "LISTEN {}"
_NOTIFY = "SELECT pg_notify(%s, each) FROM unnest(%s::text[]) AS each"


class PostgresTransport:
    """
    Two connections to a PostgreSQL server, one that listens and one that tells; see `Transport`.

    A notification in the transaction of an append would hold a lock of the whole database until
    its flush: so it has a connection of its own, whose commits wait for no disk.

    Parameters
    ----------
    url
        The database. A pooler of transactions (pgbouncer) does not pass notifications on.
    """

    has_topics = False

    def __init__(self, url: str) -> None:
        self._url = url
        self._topics: set[str] = set()
        self._listening: psycopg.AsyncConnection | None = None
        self._telling: psycopg.AsyncConnection | None = None

    async def open(self, lab: str, hear: Hear) -> None:
        self._lab = lab
        self._hear = hear
        try:
            self._listening = await self._connect()
            self._telling = await self._connect()
            channel = sql.Identifier(lab)
            await self._listening.execute(sql.SQL(_LISTEN).format(channel))
            await self._telling.execute("SET synchronous_commit = off")
        except (psycopg.Error, OSError, ValueError) as exc:
            raise BusDown(_reason(exc)) from exc

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(
            self._url,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT,
            application_name="labchat bus",
        )

    async def subscribe(self, topics: Collection[str]) -> None:
        self._topics.update(topics)

    async def unsubscribe(self, topics: Collection[str]) -> None:
        self._topics.difference_update(topics)

    async def publish(self, messages: Sequence[Message]) -> None:
        assert self._telling is not None
        try:
            await self._telling.execute(_NOTIFY, (self._lab, [*_packed(messages)]))
        except (psycopg.Error, OSError) as exc:
            raise BusDown(_reason(exc)) from exc

    async def run(self) -> None:
        assert self._listening is not None
        try:
            while True:
                async for notice in self._listening.notifies(timeout=WAIT):
                    self._take(notice.payload)
                await self._listening.execute("SELECT 1")
        except (psycopg.Error, OSError) as exc:
            raise BusDown(_reason(exc)) from exc

    def _take(self, payload: str) -> None:
        for line in payload.split("\n"):
            topic, _, data = line.partition(" ")
            if topic in self._topics:
                self._hear(Message(topic, data.encode()))

    async def close(self) -> None:
        for connection in (self._listening, self._telling):
            if connection is not None:
                await connection.close()


def _packed(messages: Sequence[Message]) -> Iterator[str]:
    """Messages as lines, so many together as fit into a notification."""
    lines, size = list[str](), 0
    for topic, data in messages:
        line = f"{topic} {data.decode()}"
        length = len(topic) + len(data) + 2
        if lines and size + length > LONGEST:
            yield "\n".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += length
    if lines:
        yield "\n".join(lines)


def _reason(exc: Exception) -> str:
    return str(exc).strip() or type(exc).__name__
