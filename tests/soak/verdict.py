"""Whether a server stayed as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.tally import median
from tests.soak.samples import Sample

__all__ = ["LARGEST_WAL", "Verdict", "verdicts"]

RECORDS = "event", "audit"
"""The tables that keep everything, and so grow for ever."""
LARGEST_WAL = 16.0
"""Size that the write-ahead log shall stay below, in MB."""
SETTLED, COMPARED = 0.1, 0.75
"""The share of the time after which memory is flat, and after which tables grow no more."""
TABLES_WITHIN, ROWS_BY_CHANCE = 5.0, 100
"""Percent, and rows, by which a table may be larger at the end; people come and go."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A sentence, and whether it says what shall be."""

    holds: bool
    text: str


def verdicts(samples: Sequence[Sample], within: float) -> list[Verdict]:
    """
    What is to be said of a soak.

    Parameters
    ----------
    samples
        Those of the whole time, at even distances; at least ten.
    within
        Percent by which memory may grow after the first tenth.
    """
    return [_of_memory(samples, within), *_of_tables(samples), _of_wal(samples)]


def _of_memory(samples: Sequence[Sample], within: float) -> Verdict:
    """Memory is compared from one tenth to the other: one sample alone comes by chance."""
    tenth = max(1, round(SETTLED * len(samples)))
    before = median([each.memory for each in samples[tenth : 2 * tenth]])
    after = median([each.memory for each in samples[-tenth:]])
    grown = 100 * (after / before - 1)
    text = f"memory went from {before:.0f} MB to {after:.0f} MB after the first tenth"
    return Verdict(grown <= within, f"{text}: {grown:+.1f} % (at most {within:g} %)")


def _of_tables(samples: Sequence[Sample]) -> list[Verdict]:
    compared = round(COMPARED * len(samples))
    found: list[Verdict] = []
    for name in sorted(samples[-1].tables.keys() - set(RECORDS)):
        rows = [each.tables.get(name, 0) for each in samples]
        before, after = max(rows[:compared]), max(rows[compared:])
        is_bounded = after <= before * (1 + TABLES_WITHIN / 100) + ROWS_BY_CHANCE
        text = f"table {name} had at most {before:,} rows, and {after:,} in the last quarter"
        found.append(Verdict(is_bounded, text))
    return found


def _of_wal(samples: Sequence[Sample]) -> Verdict:
    largest = max(each.wal for each in samples)
    text = f"the write-ahead log had at most {largest:.1f} MB (below {LARGEST_WAL:g} MB)"
    return Verdict(largest < LARGEST_WAL, text)
