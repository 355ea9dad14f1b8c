"""A bot says its own words only, however its model's text is cut into chunks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiny_labchat.bots.own_words import OwnWords

OTHERS = ["Red Fox", "Ann", "Assistant", "Dr. Who: Two"]


def said(*chunks: str, others: Sequence[str] = OTHERS) -> str:
    words = OwnWords("Teal Otter", others)
    return "".join([*map(words.add, chunks), words.end()])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello.\n\nI agree.", "Hello.\n\nI agree."),
        ("Teal Otter: Hello.", "Hello."),
        ("**Teal Otter:** **Hello.**", "**Hello.**"),
        ("teal  otter\uff1aHello.", "Hello."),
        ("Teal Otter: Teal Otter: Hello.", "Hello."),
        ("Teal Otter: Hello.\nTeal Otter: I agree.", "Hello.\nI agree."),
        ("Hello.\n\nRed Fox: I agree.", "Hello."),
        ("Hello.\nred fox: I agree.\nSo do I.\nTeal Otter: Good.", "Hello."),
        ("Red Fox: Well?\nand?\nTeal Otter: Hello.\nAnn: Hi.", "Hello."),
        ("Red Fox: I agree.", ""),
        ("Teal Otter: Ann: I agree.", ""),
        ('> "Ann": Hi', ""),
        ("Dr. Who: Two: Hi", ""),
        ("Hello.\u2028Ann: Hi.", "Hello."),
        ("Ann, I agree: yes.", "Ann, I agree: yes."),
        ("- Ann: tea", "- Ann: tea"),
        ("@Ann: yes", "@Ann: yes"),
        ("Note: this", "Note: this"),
        ("Ann", "Ann"),
        ("", ""),
    ],
)
def test_what_others_say_and_names_are_cut(text: str, words: str) -> None:
    assert said(text) == words
    assert said(*text) == words


PIECES = st.sampled_from(
    [
        *("Teal", " Otter", "Teal Otter", "teal otter:", "Red", " Fox", "Red Fox: ", "Ann", ":"),
        *("\uff1a", " ", "\n", "\r\n", "\u2028", "**", "_", ">", '"', "hello", "x:"),
        *("Dr. Who: Two", "İ", "ß", "12", "```"),
    ]
)
TEXTS = st.lists(PIECES, max_size=20).map("".join)


@given(TEXTS, st.lists(st.integers(0, 100)))
@settings(max_examples=4 * settings().max_examples)
def test_chunks_may_be_cut_anywhere(text: str, cuts: list[int]) -> None:
    ends = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    assert said(*(text[a:b] for a, b in pairwise(ends))) == said(*text) == said(text)


@given(TEXTS)
@settings(max_examples=2 * settings().max_examples)
def test_no_line_of_a_bot_is_anothers(text: str) -> None:
    words = said(text)
    assert said(words) == words, "there is nothing more to cut"
    for line in words.splitlines():
        name = line.partition(":")[0].strip(" \t*_>\"'").casefold()
        assert name not in ("red fox", "ann", "teal otter") or ":" not in line


@given(st.text(max_size=50))
def test_without_names_all_is_said(text: str) -> None:
    assert said(text, others=[]) == text.strip() or "teal" in text.casefold()


def test_words_do_not_wait_for_what_comes() -> None:
    words = OwnWords("Teal Otter", OTHERS)
    chunks = ("He", "llo there,", " Ann: \nT", "his", "\nRed F", "ern")
    assert [words.add(chunk) for chunk in chunks] == [
        "He",
        "llo there,",
        " Ann:",
        " \nThis",
        "",
        "\nRed Fern",
    ]
