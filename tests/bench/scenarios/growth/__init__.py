"""Costs where much is: each beside itself at a tenth of the size."""

from __future__ import annotations

from tests.bench.options import Options
from tests.bench.results import Job, Scenario
from tests.bench.scenarios.growth.bots import BOTS
from tests.bench.scenarios.growth.caches import CACHES
from tests.bench.scenarios.growth.coming import HERE, JOINING
from tests.bench.scenarios.growth.grown import SCENARIO, TENTH, WHOLE, Grown
from tests.bench.scenarios.growth.hearing import HEARING
from tests.bench.scenarios.growth.killed import KILLED
from tests.bench.scenarios.growth.pages import PAGES
from tests.bench.scenarios.growth.reading import HANDLING, LISTING, PRIVATE, READING
from tests.bench.scenarios.growth.tokens import TOKENS
from tests.bench.scenarios.growth.trouble import TROUBLE

__all__ = ["GROWN", "GROWTH"]

GROWN: tuple[Grown, ...] = (
    HEARING,
    READING,
    HANDLING,
    LISTING,
    PRIVATE,
    BOTS,
    JOINING,
    TROUBLE,
    TOKENS,
    PAGES,
    HERE,
    KILLED,
    CACHES,
)


def _plan(options: Options) -> list[Job]:
    return [job for grown in GROWN for job in grown.jobs(options)]


GROWTH = Scenario(
    SCENARIO,
    "What grows with what is there: each thing at a tenth of a size, and at that size",
    tuple(row for grown in GROWN for row in grown.rows()),
    _plan,
    columns=(TENTH, WHOLE),
)
