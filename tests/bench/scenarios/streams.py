"""Two streams in one room while people write: when each chunk is where, and what that costs."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from functools import partial

from tests.bench.clock import now
from tests.bench.crowd import QUIET, Crowd
from tests.bench.options import Options
from tests.bench.results import Aim, Job, Result, Row, Scenario, faults_of
from tests.bench.servers import serving
from tests.bench.sides import SIDES, Side
from tests.bench.sides.asked import CHUNK
from tests.bench.tally import quantile

__all__ = ["STREAMS"]

WORDS = "ab"
"""The streams, each of which says its letter and a number again and again."""
CHUNKS, RATE = 400, 100.0
"""How many chunks each has, and how many it says a second."""
SECONDS = CHUNKS / RATE
HEARD_WITHIN = 60.0
"""How long to wait for the last chunk, in seconds; who falls behind is waited for."""
WRITERS_RATE = 5.0
"""Messages a second, of all who write."""
P99, CHUNK_P50, TIMES_TEXT = 50.0, 60.0, 3.0
"""What shall hold: for messages and for chunks in milliseconds, and bytes for a byte of text."""

_BEGIN = re.compile(r"@([ab])([0-9.]+)@")
_CHUNK = re.compile(r"\b([ab])(\d{3}) ")


class _Ears:
    """
    What everybody hears of the streams, from when they are asked for.

    Attributes
    ----------
    complete
        Everybody has heard everything.
    size
        Characters of the frames that chunks came in.
    missing
        Chunks that have not come yet, or not in their place.
    doubled
        Chunks that came again.
    """

    def __init__(self, people: int) -> None:
        self.complete = asyncio.Event()
        self.size = 0
        self.missing = people * len(WORDS) * CHUNKS
        self.doubled = 0
        self._began = dict.fromkeys(WORDS, now())
        self._came = [defaultdict[str, list[float]](list) for _ in range(people)]

    def hear(self, person: int, frames: str) -> None:
        at = now()
        for frame in frames.split("\n"):
            self._began |= {word: float(start) for word, start in _BEGIN.findall(frame)}
            chunks = _CHUNK.findall(frame)
            self.size += len(frame) if chunks else 0
            for word, n in chunks:
                came = self._came[person][word]
                if len(came) == int(n):
                    came.append(at)
                    self.missing -= 1
                elif int(n) < len(came):
                    self.doubled += 1
        if not self.missing:
            self.complete.set()

    def faults(self) -> list[str]:
        """What went wrong, in words."""
        counted = {"are missing": self.missing, "came twice": self.doubled}
        return [f"{number} chunks {what}" for what, number in counted.items() if number]

    def delays(self) -> list[float]:
        """From when each was due until it came, in ms; what is missing counts as come now."""
        late = [now()] * CHUNKS
        return sorted(
            1000 * (at - self._began[word] - n / RATE)
            for came in self._came
            for word in WORDS
            for n, at in enumerate([*came[word], *late[len(came[word]) :]])
        )


def _plan(options: Options) -> list[Job]:
    return [Job(side.name, side.name, partial(_measure, options.crowd, side)) for side in SIDES]


async def _measure(people: int, side: Side) -> Result:
    async with serving(side, "handle") as server, Crowd(server, people) as crowd:
        await crowd.talk(1.0, WRITERS_RATE)
        before = await crowd.talk(SECONDS, WRITERS_RATE)
        await crowd.settles()
        ears = _Ears(people)
        crowd.listen(ears.hear)
        worked = server.worked()
        for word in WORDS:
            await crowd.says(0, f"stream {word} {CHUNKS} {RATE}")
        told = await crowd.talk(SECONDS - QUIET, WRITERS_RATE)
        try:
            async with asyncio.timeout(HEARD_WITHIN):
                await ears.complete.wait()
        except TimeoutError:
            pass  # what is missing is counted
        worked = server.worked() - worked
    delays = ears.delays()
    return Result(
        "streams",
        f"{people} people, {len(WORDS)} streams of {CHUNKS} chunks",
        side.name,
        0,
        {
            "p50": told.p50,
            "p99": told.p99,
            "before": before.p99,
            "chunk_p50": quantile(delays, 0.5),
            "chunk_p99": quantile(delays, 0.99),
            "size": ears.size / people / (len(WORDS) * CHUNKS * CHUNK),
            "work": 100 * worked / SECONDS,
        },
        saturated=bool(told.lost or ears.missing),
        faults=[*faults_of(talk=told), *ears.faults()],
    )


STREAMS = Scenario(
    "streams",
    "Two streams in one room, while people write",
    (
        Row("p50", "p50 of messages, ms"),
        Row(
            "p99",
            "p99 of messages, ms",
            aims=(Aim(f"below {P99:g}", lambda found: found["ours"] < P99),),
        ),
        Row("before", "p99 of messages before, ms"),
        Row(
            "chunk_p50",
            "p50 of chunks, ms",
            aims=(Aim(f"below {CHUNK_P50:g}", lambda found: found["ours"] < CHUNK_P50),),
        ),
        Row("chunk_p99", "p99 of chunks, ms"),
        Row(
            "size",
            "bytes for each viewer, times the text",
            digits=2,
            aims=(Aim(f"at most {TIMES_TEXT:g}", lambda found: found["ours"] <= TIMES_TEXT),),
        ),
        Row("work", f"server's work, % of the {SECONDS:g} s of the streams"),
    ),
    _plan,
)
