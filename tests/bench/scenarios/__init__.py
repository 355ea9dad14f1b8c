"""What is measured: a table each."""

from __future__ import annotations

from tests.bench.results import Scenario
from tests.bench.scenarios.engines import ENGINES
from tests.bench.scenarios.fanout import FANOUT
from tests.bench.scenarios.growth import GROWTH
from tests.bench.scenarios.handler import HANDLER
from tests.bench.scenarios.join import JOIN
from tests.bench.scenarios.memory import MEMORY
from tests.bench.scenarios.quiet import QUIET
from tests.bench.scenarios.rooms import ROOMS
from tests.bench.scenarios.stalled import STALLED
from tests.bench.scenarios.streams import STREAMS
from tests.bench.scenarios.workers import WORKERS

__all__ = ["SCENARIOS", "SIDE_BY_SIDE"]

SIDE_BY_SIDE = FANOUT, ROOMS, JOIN, HANDLER, STALLED, MEMORY, QUIET, STREAMS
"""Ours beside three other ways."""
OURS_ALONE = GROWTH, ENGINES, WORKERS
"""Ours, in several ways."""
SCENARIOS: dict[str, Scenario] = {each.name: each for each in SIDE_BY_SIDE + OURS_ALONE}
