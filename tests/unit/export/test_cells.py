"""Cells of CSV, texts of times, and conditions as columns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.export.answers import fields_of, names_of, type_of
from shiny_labchat.export.columns import columns_of
from shiny_labchat.export.conditions import levels_of
from shiny_labchat.export.counting import count_words
from shiny_labchat.export.csv_format import cells_of, csv_lines, quoted
from shiny_labchat.export.presence import Connection
from shiny_labchat.export.times import KEPT, SHARED, Times, as_iso
from tests.support.csv_text import cells

texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(texts, texts), min_size=1))
def test_texts_and_missing_ones_come_back(rows: list[tuple[str | None, str | None]]) -> None:
    lines = csv_lines(["text", "text"], rows, Times(), quoted)
    assert cells("".join(f"{line}\n" for line in lines)) == [list(row) for row in rows]


@given(st.lists(st.none() | st.integers(0, 4_000_000_000_000_000), min_size=1))
def test_times_are_those_of_the_standard_library(times: list[int | None]) -> None:
    wanted = [
        "" if at is None else (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at))
        for at in times
    ]
    made = Times().texts(times, "")
    for text, moment in zip(made, wanted, strict=True):
        assert moment == text or datetime.fromisoformat(str(text)) == moment
        assert text == "" or (len(str(text)) == 27 and str(text).endswith("Z"))


def test_only_so_many_texts_of_times_are_kept() -> None:
    times = Times()
    spread: list[int | None] = [n * SHARED for n in range(KEPT + 100)]
    assert times.texts(spread, None) == [as_iso(at or 0) for at in spread]


def test_numbers_and_booleans_are_not_quoted() -> None:
    times = Times()
    assert cells_of("integer", (1, None, -5), times, quoted) == ["1", "", "-5"]
    assert cells_of("number", (0.1, 2.0), times, quoted) == ["0.1", "2.0"]
    assert cells_of("boolean", (True, False, None), times, quoted) == ["true", "false", ""]
    assert cells_of("text", (None, None), times, quoted) == ["", ""]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", 0), ("one two", 2), ("it's", 2), ("a_b", 2), ("7 Äpfel, ok?", 3), ("🦦 !", 0)],
)
def test_words_are_runs_of_letters_or_digits(text: str, words: int) -> None:
    assert count_words(text) == words


def test_a_family_of_columns_becomes_one_for_each() -> None:
    names = [c.name for c in columns_of("members", factors=["tone"], items=["share", "film"])]
    assert {"condition_tone", "consent_share", "consent_film"} <= set(names)
    assert not any(name.endswith("*") for name in names)
    assert "condition" in [column.name for column in columns_of("rooms")]


def test_levels_are_those_of_the_factors() -> None:
    assert levels_of({"tone": "calm", "n": 2}, ["n", "tone", "x"]) == ("2", "calm", None)
    assert levels_of("calm", ["tone"]) == (None,) and levels_of({"a": 1}, []) == ()


def test_names_of_kinds_are_names_of_files_and_unique() -> None:
    kinds = ["a/b", "a b", "A-B", "..", "plain"]
    assert names_of(kinds) == [
        "answers-a-b", "answers-a-b-2", "answers-A-B-3", "answers-kind", "answers-plain"
    ]  # fmt: skip


def test_names_of_kinds_are_unique_as_attributes() -> None:
    kinds = ["a-b", "a_b", "a_b-2"]
    assert names_of(kinds) == ["answers-a-b", "answers-a_b-2", "answers-a_b-2-2"]


def test_a_record_without_fields_is_its_own_value() -> None:
    assert (
        fields_of(5) == {"value": 5} and fields_of(None) == {} and fields_of({"a": 1}) == {"a": 1}
    )
    assert [type_of(v) for v in (None, True, 1.5, "1", [1])] == [
        "null", "boolean", "number", "text", "json"
    ]  # fmt: skip


def test_a_connection_adds_up() -> None:
    connection = Connection("here", 0)
    for state, at in (("away", 10), ("gone", 30), ("gone", 35), ("here", 40), ("idle", 50)):
        connection.change(state, at)
    assert (connection.connected, connection.hidden, connection.disconnects) == (40, 20, 1)
