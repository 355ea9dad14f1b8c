"""Nobody waits for anybody."""

from __future__ import annotations

import asyncio
import socket
import time

from shiny_labchat import Lab, Room, Rules
from shiny_labchat._door import ticket
from tests.client import browser
from tests.server import Server

from .conftest import Come


async def test_a_stalled_browser_delays_nobody_and_catches_up(
    come: Come, room: Room, server: Server
) -> None:
    await room.add_member("sloth")
    raw = await ticket(room.log, room.key, "sloth", "page")
    async with browser(server.port, sock=_narrow(server.port), max_queue=1) as sloth:
        await sloth.hello(ticket=raw)
        async with come("ann") as ann, come("bob") as bob:
            for batch in range(10):  # 5 MB in all, far more than its socket takes
                await asyncio.gather(*(room.post("x" * 4_900) for _ in range(100)))
                start = time.perf_counter()
                await ann.send(f"batch {batch}")
                await bob.until(lambda batch=batch: bob.texts[-1:] == [f"batch {batch}"])
                assert time.perf_counter() - start < 2
        await sloth.until(lambda: sloth.texts[-1:] == ["batch 9"])
        assert len(sloth.items) == 10 * 101 and not any(f.get("reset") for f in sloth.frames[1:])
        await sloth.says("here I am")


def _narrow(port: int) -> socket.socket:
    """A connection that takes little before it is read from."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    narrow.connect(("127.0.0.1", port))
    narrow.setblocking(False)
    return narrow


async def test_a_member_removed_while_stalled_reads_nothing_said_later(
    room: Room, server: Server
) -> None:
    await room.add_member("sloth")
    raw = await ticket(room.log, room.key, "sloth", "page")
    async with browser(server.port, sock=_narrow(server.port), max_queue=1) as sloth:
        await sloth.hello(ticket=raw)
        await asyncio.gather(*(room.post("x" * 4_900) for _ in range(1_000)))
        await room.remove_member("sloth")
        await room.post("secret")
        await sloth.ends()
        assert "secret" not in sloth.texts


async def test_a_busy_room_delays_no_other_room(come: Come, lab: Lab, room: Room) -> None:
    quiet = await lab.create_room("quiet", study="tests", rules=Rules(rate=None))
    async with come("ann", room=quiet) as ann, come("loud") as loud:
        took: list[float] = []
        for n in range(30):
            for k in range(20):
                await loud.send(f"{n} {k}")
            start = time.perf_counter()
            await ann.says(f"{n}")
            took.append(time.perf_counter() - start)
        assert sorted(took)[15] < 0.25
        await loud.until(lambda: len(loud.items) == 600)
