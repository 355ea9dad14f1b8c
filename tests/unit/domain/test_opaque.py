"""Ids that hide seqs: one for each, read again only with the room's seed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.opaque import id_of, seq_of

seqs = st.integers(1, 2**48 - 1) | st.integers(1, 1_000)
seeds = st.text(max_size=20)


@given(seeds, seqs)
def test_an_id_is_short_and_is_its_seqs(seed: str, seq: int) -> None:
    id = id_of(seed, seq)
    assert len(id) == 11 and set(id) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )
    assert seq_of(seed, id) == seq


@given(seeds, st.text(max_size=12) | st.text("abcXYZ019-_", min_size=11, max_size=11))
def test_whatever_is_no_id_is_none(seed: str, id: str) -> None:
    """One in 65,536 texts of this form is the id of a number that no room has reached."""
    seq = seq_of(seed, id)
    assert seq is None or id_of(seed, seq) == id


def test_another_rooms_id_is_none() -> None:
    ids = [id_of("one", seq) for seq in range(1, 2_001)]
    assert len(set(ids)) == 2_000
    assert sum(seq_of("other", id) is not None for id in ids) <= 2


def test_the_order_and_the_number_of_seqs_cannot_be_seen() -> None:
    ids = [id_of("one", seq) for seq in range(1, 2_001)]
    rises = sum(a < b for a, b in zip(ids, ids[1:], strict=False))
    assert 900 < rises < 1_100
    for at in range(10):  # of the last character only four bits are used
        shares = [sum(id[at] == sign for id in ids) for sign in set(id[at] for id in ids)]
        assert len(shares) == 64 and max(shares) < 70
