"""What programmes say is made such that databases and browsers take it."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.events import Part
from shiny_labchat.storable import storable
from shiny_labchat.streams.chunks import ChunkJoiner
from shiny_labchat.streams.content import UnmergedText

odd = st.text(st.sampled_from("ab\0\ud83d\ude00\U0001f600"), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | odd,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd, inner, max_size=3),
)


@given(values)
def test_whatever_json_can_hold_can_be_stored(value: object) -> None:
    stored = orjson.dumps(storable(value)).decode()
    assert "\\u0000" not in stored
    assert orjson.loads(stored) == json.loads(json.dumps(storable(value)))


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("plain \U0001f600", "plain \U0001f600"),
        ("\ud83d\ude00", "\U0001f600"),
        ("a\ud83db", "a\ufffdb"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("nu\0l", "nul"),
        (2**64 - 1, 2**64 - 1),
        (2**70, str(2**70)),
        ({"a\0": [True, None, -(2**70)]}, {"a": [True, None, str(-(2**70))]}),
    ],
)
def test_what_becomes_of_what_cannot(value: object, stored: object) -> None:
    assert storable(value) == stored


def test_what_is_whole_stays_whole() -> None:
    assert isinstance(storable(UnmergedText("<b>\0</b>")), UnmergedText)


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
    st.data(),
)
def test_a_text_that_comes_in_halves_is_the_text(text: str, data: st.DataObject) -> None:
    units = [chr(unit) for unit in memoryview(text.encode("utf-16-le")).cast("H")]
    seam, shown = ChunkJoiner(), list[Part]()
    while units:
        size = data.draw(st.integers(1, 3))
        shown += seam.join([("markdown", "".join(units[:size]))])
        del units[:size]
    shown += seam.join([])
    assert seam.end() == []
    assert "".join(content for _, content in shown) == text


def test_a_half_without_its_other_is_shown_as_such_in_its_place() -> None:
    seam = ChunkJoiner()
    assert seam.join([("markdown", "a\ud83d")]) == [("markdown", "a")]
    assert seam.join([("thinking", "hm")]) == [("markdown", "\ufffd"), ("thinking", "hm")]
    assert seam.join([("markdown", "\ud83d")]) == []
    assert seam.end() == [("markdown", "\ufffd")]
