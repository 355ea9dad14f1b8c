"""The bus that a URL names."""

from __future__ import annotations

from collections.abc import Callable

from shiny_labchat.bus.base import Transport

__all__ = ["KINDS", "default_for", "shown", "transport_for"]

KINDS = ("nats", "redis", "postgresql")
"""The kinds of buses, as URLs begin."""


def transport_for(url: str) -> Callable[[], Transport]:
    """
    What makes connections to the bus of a URL.

    Raises
    ------
    ValueError
        It is not the URL of a bus.
    ImportError
        Its driver is not installed; the error says what to type.
    """
    scheme, _, rest = url.partition("://")
    if not rest:
        raise ValueError(f"bus: {url!r} is not a URL, such as nats://127.0.0.1:4222")
    match scheme:
        case "nats" | "tls":
            return _nats(url)
        case "redis" | "rediss":
            return _redis(url)
        case "valkey" | "valkeys":
            return _redis(url.replace("valkey", "redis", 1))
        case "postgres" | "postgresql" | "postgresql+psycopg":
            return _postgres(f"postgresql://{rest}")
        case _:
            raise ValueError(f"bus: {scheme!r} is not supported; use one of {', '.join(KINDS)}")


def default_for(database: str) -> str | None:
    """The bus that the database of a URL is itself; None: it is none."""
    return database if database.startswith("postgres") else None


def shown(url: str) -> str:
    """The URL of a bus without secrets."""
    scheme, _, rest = url.partition("://")
    where = rest.partition("?")[0]
    if "@" in rest and "@" not in where:  # a secret may have any characters
        return f"{scheme}://"
    return f"{scheme}://{where.rpartition('@')[2]}"


def _nats(url: str) -> Callable[[], Transport]:
    try:
        from shiny_labchat.bus.nats import NatsTransport
    except ImportError as exc:
        raise ImportError(_missing("nats")) from exc
    return lambda: NatsTransport(url)


def _redis(url: str) -> Callable[[], Transport]:
    try:
        from shiny_labchat.bus.redis import RedisTransport
    except ImportError as exc:
        raise ImportError(_missing("redis")) from exc
    return lambda: RedisTransport(url)


def _postgres(url: str) -> Callable[[], Transport]:
    try:
        from shiny_labchat.bus.postgres import PostgresTransport
    except ImportError as exc:
        raise ImportError(_missing("postgres")) from exc
    return lambda: PostgresTransport(url)


def _missing(extra: str) -> str:
    return f"this bus needs a package more; type: pip install 'shiny-labchat[{extra}]'"
