"""What one event loop hears of a bus."""

from __future__ import annotations

import asyncio
from typing import Any

from shiny_labchat.bus.subscriber import Subscriber


class Nobody:
    """A bus that is not used."""

    def subscribe(self, topic: str, subscriber: Subscriber) -> None:
        raise RuntimeError("it is never open")

    def unsubscribe(self, topic: str, subscriber: Subscriber) -> None:
        raise RuntimeError("it is never open")

    def publish(self, topic: str, sender: str, payload: object) -> None:
        raise RuntimeError("it is never open")


def test_nothing_is_kept_for_an_event_loop_that_has_ended() -> None:
    heard: list[Any] = []

    async def begin() -> Subscriber:
        return Subscriber("me", Nobody(), lambda *said: heard.append(said), lambda is_up: None)

    subscriber = asyncio.run(begin())
    for n in range(10):
        subscriber.deliver("topic", "other", n)
    assert subscriber.is_over and subscriber.waiting == 0 and heard == []
