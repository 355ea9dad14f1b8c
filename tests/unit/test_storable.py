"""What programmes say is made such that databases and browsers take it."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.events import Part
from shiny_labchat.storable import is_storable, storable
from shiny_labchat.streams.chunks import ChunkJoiner
from shiny_labchat.streams.content import UnmergedText

odd = st.text(st.sampled_from("ab\\u0\0\ud83d\ude00\U0001f600"), max_size=6)
ends = [sign * (2**bits + by) for sign in (1, -1) for bits in (53, 63, 64) for by in (-1, 0, 1)]
integers = st.integers() | st.sampled_from(ends)
values = st.recursive(
    st.none() | st.booleans() | integers | st.floats() | odd,
    # Python makes JSON of tuples, too, and of keys that are no text.
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(odd, inner, max_size=3)
        | st.dictionaries(st.none() | st.booleans() | integers, inner, max_size=2)
    ),
)


@given(values)
def test_whatever_json_can_hold_can_be_stored(value: object) -> None:
    stored = orjson.dumps(storable(value)).decode()
    without_backslashes = stored.replace("\\\\", "")  # that people wrote
    assert "\\u0000" not in without_backslashes
    assert orjson.loads(stored) == json.loads(json.dumps(storable(value)))


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("plain \U0001f600", "plain \U0001f600"),
        ("\ud83d\ude00", "\U0001f600"),
        ("a\ud83db", "a\ufffdb"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("nu\0l", "nul"),
        (2**63 - 1, 2**63 - 1),
        (2**63, "9223372036854775808"),
        (-(2**63), -(2**63)),
        (-(2**63) - 1, "-9223372036854775809"),
        (2**64 - 1, str(2**64 - 1)),
        (2**70, str(2**70)),
        (float("nan"), "nan"),
        ((1, -float("inf")), [1, "-inf"]),
        ({1: "a", None: "b"}, {"1": "a", "None": "b"}),
        ({"a\0": [True, None, -(2**70)]}, {"a": [True, None, str(-(2**70))]}),
    ],
)
def test_what_becomes_of_what_cannot(value: object, stored: object) -> None:
    assert storable(value) == stored


@given(integers)
def test_an_integer_stays_a_number_if_it_has_at_most_64_bits_with_its_sign(value: int) -> None:
    fits = -(2**63) <= value <= 2**63 - 1
    assert storable(value) == (value if fits else str(value))
    assert storable({"n": [value]}) == {"n": [storable(value)]}


@given(values)
def test_what_can_be_stored_is_not_changed_again(value: object) -> None:
    stored = storable(value)
    assert repr(storable(stored)) == repr(stored)


@given(values)
def test_the_quick_look_never_says_yes_to_what_would_be_changed(value: object) -> None:
    if is_storable(value):
        assert repr(storable(value)) == repr(value)


plain = st.text(st.characters(exclude_characters="\0\\", exclude_categories=["Cs"]), max_size=6)
small = st.integers(-(2**53) + 1, 2**53 - 1)
finite = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.recursive(
        st.none() | st.booleans() | small | finite | plain,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3),
    )
)
def test_the_quick_look_says_yes_to_common_values(value: object) -> None:
    assert is_storable(value)


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
