"""Two streams in one room while people write: when each chunk is where, and what that costs."""

from __future__ import annotations

import re
from functools import partial

from tests.bench.clock import now
from tests.bench.crowd import Crowd
from tests.bench.options import Options
from tests.bench.results import Aim, Job, Result, Row, Scenario, faults_of
from tests.bench.servers import serving
from tests.bench.sides import OURS
from tests.bench.sides.ours_app import CHUNK
from tests.bench.tally import quantile

__all__ = ["STREAMS"]

WORDS = "ab"
"""The streams, each of which says its letter and a number again and again."""
CHUNKS, RATE = 400, 100.0
"""How many chunks each has, and how many it says a second."""
WRITERS_RATE = 5.0
"""Messages a second, of all who write."""
P99, CHUNK_P50, TIMES_TEXT = 50.0, 60.0, 3.0
"""What shall hold: for messages and for chunks in milliseconds, and bytes for a byte of text."""

_BEGIN = re.compile(r"@([ab])([0-9.]+)@")
_CHUNK = re.compile(r"([ab])(\d{3}) ")


class _Ears:
    """
    What everybody hears of the streams.

    Attributes
    ----------
    delays
        From when a chunk was due to somebody's having it, in milliseconds.
    size
        Characters of the frames that chunks came in.
    """

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.size = 0
        self._began: dict[str, float] = {}

    def hear(self, person: int, frames: str) -> None:
        at = now()
        for frame in frames.split("\n"):
            if not frame.startswith('{"t":"chunks"'):
                continue
            self.size += len(frame)
            self._began |= {word: float(start) for word, start in _BEGIN.findall(frame)}
            for word, n in _CHUNK.findall(frame):
                self.delays.append(1000 * (at - self._began[word] - int(n) / RATE))


def _plan(options: Options) -> list[Job]:
    return [Job("ours", "ours", partial(_measure, options))]


async def _measure(options: Options) -> Result:
    people, ears = options.crowd, _Ears()
    async with serving(OURS, "stream") as server, Crowd(server, people) as crowd:
        await crowd.talk(1.0, options.rate)
        before = await crowd.talk(CHUNKS / RATE, WRITERS_RATE)
        crowd.listen(ears.hear)
        worked = server.worked()
        for word in WORDS:
            await crowd.says(0, f"stream {word} {CHUNKS} {RATE}")
        told = await crowd.talk(CHUNKS / RATE, WRITERS_RATE)
        await crowd.settles()
        worked = server.worked() - worked
    heard, wanted = len(ears.delays), people * CHUNKS * len(WORDS)
    delays = sorted(ears.delays)
    faults = [] if heard == wanted else [f"{wanted - heard} of {wanted} chunks are missing"]
    return Result(
        "streams",
        f"{people} people, {len(WORDS)} streams of {CHUNKS} chunks",
        OURS.name,
        0,
        {
            "p50": told.p50,
            "p99": told.p99,
            "before": before.p99,
            "chunk_p50": quantile(delays, 0.5),
            "chunk_p99": quantile(delays, 0.99),
            "size": ears.size / people / (len(WORDS) * CHUNKS * CHUNK),
            "work": 100 * worked / (CHUNKS / RATE),
        },
        saturated=bool(told.lost),
        faults=[*faults, *faults_of(talk=told)],
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
        Row("work", "server, % of a core"),
    ),
    _plan,
)
