"""What the soak says of a server: it notices what grows."""

from __future__ import annotations

from dataclasses import replace

from tests.soak.picture import picture
from tests.soak.samples import Sample
from tests.soak.verdict import LARGEST_WAL, verdicts

FLAT = [
    Sample(60.0 * k, 200.0, 4.0, 20, 9.0, 100 * k, {"event": 500 * k, "token": 1_000})
    for k in range(1, 41)
]


def _fails(samples: list[Sample]) -> list[str]:
    return [verdict.text for verdict in verdicts(samples, 5.0) if not verdict.holds]


def test_nothing_is_said_against_a_server_that_stays_as_it_was() -> None:
    assert _fails(FLAT) == []


def test_memory_that_grows_is_noticed_after_the_first_tenth() -> None:
    grown = [replace(each, memory=200 + 0.01 * each.at) for each in FLAT]
    assert len(_fails(grown)) == 1
    warm = [replace(each, memory=100.0) if each.at <= 240 else each for each in FLAT]
    assert _fails(warm) == []


def test_a_table_that_grows_is_noticed_unless_it_is_the_record() -> None:
    grown = [replace(each, tables={**each.tables, "token": each.visits}) for each in FLAT]
    assert [text.split()[1] for text in _fails(grown)] == ["token"]


def test_a_log_that_was_too_large_once_is_noticed() -> None:
    once = [*FLAT[:20], replace(FLAT[20], wal=LARGEST_WAL), *FLAT[21:]]
    assert len(_fails(once)) == 1


def test_the_picture_shows_memory_and_the_log() -> None:
    drawn = picture(FLAT)
    assert drawn.count("<polyline") == 2
    assert "from 200 to 200" in drawn
