"""Which bus a URL names."""

from __future__ import annotations

import pytest

from shiny_labchat.bus.by_url import default_for, shown, transport_for


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("nats://127.0.0.1:4222", "NatsTransport"),
        ("nats://a:4222,nats://b:4222", "NatsTransport"),
        ("tls://nats.example.org", "NatsTransport"),
        ("redis://127.0.0.1:6379/0", "RedisTransport"),
        ("rediss://redis.example.org", "RedisTransport"),
        ("valkey://127.0.0.1", "RedisTransport"),
        ("postgres://u@127.0.0.1/lab", "PostgresTransport"),
        ("postgresql+psycopg://u@127.0.0.1/lab", "PostgresTransport"),
    ],
)
async def test_the_scheme_says_which_bus_it_is(url: str, kind: str) -> None:
    assert type(transport_for(url)()).__name__ == kind


@pytest.mark.parametrize("url", ["", "nats", "amqp://127.0.0.1", "sqlite:///lab.db"])
def test_another_url_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(ValueError, match=r"^bus: .*nats"):
        transport_for(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nats://ann:secret@host:4222", "nats://host:4222"),
        ("nats://secret@host", "nats://host"),
        ("redis://:sec/secret@host:6379/0", "redis://host:6379/0"),
        ("postgresql://u@host/lab?password=secret", "postgresql://host/lab"),
        ("nats://u:secret@a:4222,nats://u:secret@b:4222", "nats://b:4222"),
        ("redis://:secret?secret@host", "redis://"),
    ],
)
def test_no_secret_of_a_url_is_shown(url: str, said: str) -> None:
    assert shown(url) == said


def test_a_postgresql_database_is_a_bus_itself() -> None:
    assert default_for("postgresql+psycopg://u:p@host/lab") == "postgresql+psycopg://u:p@host/lab"
    assert default_for("sqlite:////lab.db") is None
