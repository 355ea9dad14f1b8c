"""Texts of which nothing can be seen, and those of which it can."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.commands import Say
from shiny_labchat.domain.visible import has_visible
from tests.unit.pure_room import PureRoom

UNSEEN = (
    *("\u2800", "\u3164", "\u200b", "\uffa0", "\u115f", "\u1160", "\u00ad", "\u034f", "\u061c"),
    *map(chr, range(0x2060, 0x2065)),
    *map(chr, range(0xE0000, 0xE0080)),  # tags
    *map(chr, range(0xFE00, 0xFE10)),  # variation selectors
    *map(chr, range(0xE0100, 0xE01F0)),
    *map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F)),  # directions
    *(" ", "\t", "\n", "\u00a0", "\u2003", "\u3000", "\ufeff", "\u200c", "\u200d", "\u180e"),
)
SEEN = (
    *("a", ".", "0", "語", "ก", "안", "\U0001f600", "\U0001f3fb", "\u0301", "\u20e3", "\u0600"),
    *("👨\u200d👩\u200d👧", "❤\ufe0f", "🏴\U000e0067\U000e0062\U000e007f", "می\u200cخواهم"),
)


@given(st.text(st.sampled_from(UNSEEN), min_size=1))
def test_what_cannot_be_seen_is_an_empty_message(text: str) -> None:
    room = PureRoom(members="a")
    assert not has_visible(text)
    assert room.refuses(Say("a", text, "c", "p")) == "empty"
    assert room.refuses(Say("a", text, "c", "p", waits=True)) == "empty"


@given(st.text(st.sampled_from(UNSEEN)), st.sampled_from(SEEN), st.text(st.sampled_from(UNSEEN)))
def test_one_character_that_can_be_seen_is_a_message_as_it_was_written(
    before: str, seen: str, after: str
) -> None:
    room = PureRoom(members="a")
    text = before + seen + after
    assert room.says("a", text) is None
    assert room.log[-1].data["parts"] == [("text", text)]


@pytest.mark.parametrize("kind", ["Lu", "Ll", "Lt", "Nd", "Nl", "Po", "Sm", "Sc", "Mc"])
def test_letters_digits_and_signs_can_be_seen(kind: str) -> None:
    known = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) == kind]
    assert known and all(map(has_visible, known))
