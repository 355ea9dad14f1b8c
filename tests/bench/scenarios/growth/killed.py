"""The server is killed in the middle of a stream."""

from __future__ import annotations

import asyncio
import re
import sys
from contextlib import suppress

from tests.bench.clock import pause
from tests.bench.crowd import ROOM, Crowd
from tests.bench.scenarios.growth.grown import Figure, Grown, serving_rooms
from tests.bench.servers import Server

__all__ = ["KILLED"]

PEOPLE = 3
RATE = 100
"""Chunks that the stream says a second."""
BEGUN_WITHIN = 10.0
"""How long the first chunk may take, in seconds."""
CHUNK = re.compile(r"\ba(\d{3}) ")


async def _measure(size: int, runs: int) -> dict[str, float]:
    """`size` is in hundredths of a second: after how long it is killed."""
    return {"lost": float(await _lost(size / 100))}


async def _lost(seconds: float) -> int:
    """Chunks of a stream that anybody has been shown, and that were not kept."""
    shown, begun = set[str](), asyncio.Event()

    def hear(person: int, frames: str) -> None:
        shown.update(CHUNK.findall(frames))
        if shown:
            begun.set()

    async with serving_rooms((), "handle") as server:
        with suppress(ConnectionError):
            async with Crowd(server, PEOPLE) as crowd:
                crowd.listen(hear)
                await crowd.says(0, f"stream a 900 {RATE}")
                await asyncio.wait_for(begun.wait(), BEGUN_WITHIN)
                await pause(seconds)
                server.process.kill()
                await crowd.settles()
        return len(shown - await _kept(server))


async def _kept(server: Server) -> set[str]:
    """The chunks of the stream, as the next process reads it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.sides.ours_prepare", server.url, "streamed", ROOM),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the stream could not be read: {said.decode()}")
    return set(CHUNK.findall(output.decode()))


KILLED = Grown(
    "killed",
    f"Killed {{}} hundredths of a second into a stream of {RATE} chunks a second",
    100,
    (Figure("lost", "chunks that were shown and are not kept", below=1, floor=1, digits=0),),
    _measure,
)
