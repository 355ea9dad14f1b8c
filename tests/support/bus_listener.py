"""A process on a bus: ``python -m tests.support.bus_listener URL TOPIC`` prints what it hears."""

from __future__ import annotations

import asyncio
import sys

from shiny_labchat.bus import Bus, transport_for


async def lab() -> str:
    """The lab that all of these are of."""
    return "labchat-tests"


async def listen(url: str, topic: str) -> None:
    """Print the payload of each message of a topic, and "up" when the bus works."""
    bus = Bus("listener", transport_for(url), lab)
    subscriber = bus.subscriber(
        lambda topic, sender, payload: print(payload, flush=True),
        lambda is_up: print("up" if is_up else "down", flush=True),
    )
    subscriber.subscribe(topic)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(listen(*sys.argv[1:]))
