"""Pseudonyms: readable, unique, stable, and unrelated to who came first."""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.pseudonyms import (
    _ANIMALS,
    _COLOURS,
    PLAIN_LIMIT,
    _read,
    _read_any,
    fits,
    generate,
    number,
    plain,
    unique,
)


def names(seed: str, members: list[str]) -> list[str]:
    taken: list[str] = []
    for member in members:
        taken.append(generate(seed, member, taken))
    return taken


def test_a_name_is_a_colour_and_an_animal() -> None:
    for name in names("s", [str(n) for n in range(50)]):
        colour, animal = name.split()
        assert colour.istitle() and animal.istitle() and name.isascii()


def test_the_same_seed_and_member_give_the_same_name() -> None:
    code = "from shiny_labchat.domain.pseudonyms import generate; print(generate('s', 'p17', []))"
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert elsewhere.stdout.strip() == generate("s", "p17", [])


def test_another_room_gives_another_name() -> None:
    seeds = [str(n) for n in range(200)]
    assert len({generate(seed, "p17", []) for seed in seeds}) > 190


def test_thousands_of_members_have_names_of_their_own() -> None:
    many = names("s", [f"m{n}" for n in range(2_000)])
    assert len(set(many)) == 2_000


def test_a_full_list_of_names_goes_on_with_numbers() -> None:
    every = {f"{colour} {animal}" for colour in _COLOURS for animal in _ANIMALS}
    assert generate("s", "late", every).split()[-1].isdigit()


def test_in_a_large_room_few_names_are_taken_apart() -> None:
    taken_apart: list[str] = []

    class Name(str):
        def split(self, *how: Any) -> list[str]:
            taken_apart.append(self)
            return super().split(*how)

    taken = [Name(name) for name in names("s", [f"m{n}" for n in range(1_000)])]
    taken_apart.clear()
    assert generate("s", "late", taken) not in taken
    assert len(taken_apart) < 2 * 700


@given(st.text(st.characters(max_codepoint=127)))
def test_a_name_in_ascii_is_read_as_any_other(name: str) -> None:
    assert _read(name) == _read_any(name)


def test_in_a_small_room_no_two_share_a_word() -> None:
    """Teal Otter and Teal Heron are easily mixed up."""
    for seed in range(50):
        words = " ".join(names(str(seed), [f"m{n}" for n in range(8)])).split()
        assert len(set(words)) == 16


def test_names_do_not_tell_the_order_of_arrival() -> None:
    """Alphabetical rank against order of arrival, over 200 rooms of 30: no correlation."""
    found = [_rank_correlation(str(seed)) for seed in range(200)]
    assert abs(statistics.mean(found)) < 0.05
    assert 0.1 < statistics.stdev(found) < 0.28  # of independent ranks: 1 / sqrt(29) = 0.186


def _rank_correlation(seed: str) -> float:
    arrived = names(seed, [f"member-{n}" for n in range(30)])
    ranks = [sorted(arrived).index(name) for name in arrived]
    return statistics.correlation(range(30), ranks)


def test_a_template_gives_the_next_free_number() -> None:
    assert number("Player {n}", 0, []) == "Player 1"
    assert number("Player {n}", 1, ["Player 2", "player 3"]) == "Player 4"
    assert number("{n} of {n}", 4, []) == "5 of 5"


def test_a_template_that_is_too_long_still_ends_and_gives_different_names() -> None:
    """In a process of its own, as the alternative is a writer that never comes back."""
    code = """
from shiny_labchat.domain.commands import Configure, Join
from shiny_labchat.domain.decide import decide
from shiny_labchat.domain.state import RoomState, fold
state = RoomState()
asked = "x" * 80 + " {n}"
for wish in (Configure("s"), *(Join(m, m, pseudonym=asked) for m in "abc")):
    for event in decide(state, wish, 0):
        state = fold(state, event)
names = [seat.pseudonym for seat in state.members()]
assert len(set(names)) == 3, names
"""
    try:
        done = subprocess.run([sys.executable, "-c", code], timeout=60, capture_output=True)
    except subprocess.TimeoutExpired:
        pytest.fail("a long template never ends")
    assert done.returncode == 0, done.stderr.decode()


def test_a_text_that_is_taken_gets_a_number() -> None:
    assert unique("Ann", ["Ann", "ann 2"]) == "Ann 3"


@pytest.mark.parametrize(
    ("odd", "shown"),
    [
        ("  Ann \n\t Smith ", "Ann Smith"),
        ("A\u200bn\u200dn", "Ann"),
        ("\u202eevil", "evil"),
        ("\u2066Ann\u2069", "Ann"),
        ("مريم", "مريم"),
        ("Ann\x00\x07", "Ann"),
        ("x" * 100, "x" * PLAIN_LIMIT),
        ("\u2028a\u2029b", "a b"),
        ("\ud800Ann", "Ann"),
        ("\ufeffAnn\u00ad", "Ann"),
    ],
)
def test_a_name_is_one_line_of_visible_characters(odd: str, shown: str) -> None:
    assert plain(odd) == shown


@pytest.mark.parametrize(
    "invisible", ["\u3164", "\u115f", "\u1160", "\uffa0", "\u034f", "\ufe0f", "\u180b", "\u17b5"]
)
def test_letters_that_nobody_sees_make_no_name_of_their_own(invisible: str) -> None:
    """Unicode's default ignorables that are letters or marks, such as HANGUL FILLER."""
    assert not fits(f"Ann{invisible}", ["Ann"]) or plain(f"Ann{invisible}") == "Ann"
    assert plain(invisible) == ""


@given(st.text())
def test_a_plain_name_stays_as_it_is(text: str) -> None:
    once = plain(text)
    assert plain(once) == once
    assert len(once) <= PLAIN_LIMIT
    assert "\n" not in once


@given(st.lists(st.text(max_size=6), max_size=12))
def test_whatever_is_asked_for_names_are_told_apart(asked: list[str]) -> None:
    taken: list[str] = []
    for text in asked:
        name = unique(text, taken)
        assert fits(name, taken)
        taken.append(name)
