"""
The ids by which browsers know a room's items.

An id hides the item's seq. From seqs, a person could count the messages that they are not shown.
From a room's seed, which no browser knows, follows a secret permutation of 64-bit numbers: a
Feistel network of four rounds (M. Luby and C. Rackoff, "How to construct pseudorandom permutations
from pseudorandom functions", SIAM J. Comput. 17, 1988), whose round function is keyed BLAKE2b. So
an id is short, is the same for all viewers, and needs no table to be read.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import blake2b

__all__ = ["id_of", "seq_of"]

ROUNDS = 4
HALF = 2**32
SEQ_BITS = 48
"""The other bits of the 64 are 0: whatever is not an id of the room is recognised by them."""
KEPT = 4_096
"""Ids that are kept, in number; each takes about 300 bytes."""
SEEDS_KEPT = 1_024
"""Rooms whose round functions are kept, in number; each takes about 2 kB."""


@lru_cache(KEPT)
def id_of(seed: str, seq: int) -> str:
    """
    The id of the item with this seq.

    Parameters
    ----------
    seed
        The room's seed.
    seq
        From 1 to 2**48 - 1.

    Returns
    -------
    str
        11 characters: letters, digits, "-" and "_".
    """
    assert 0 < seq < 2**SEQ_BITS
    left, right = divmod(seq, HALF)
    for hasher in _rounds(seed):
        left, right = right, left ^ _mixed(hasher, right)
    return urlsafe_b64encode((left * HALF + right).to_bytes(8)).decode().rstrip("=")


@lru_cache(KEPT)
def seq_of(seed: str, id: str) -> int | None:
    """The seq of the item with this id; None: it is not an id of this room."""
    if len(id) != 11 or not id.isascii():
        return None
    try:
        left, right = divmod(int.from_bytes(urlsafe_b64decode(f"{id}=")), HALF)
    except ValueError:
        return None
    for hasher in reversed(_rounds(seed)):
        left, right = right ^ _mixed(hasher, left), left
    seq = left * HALF + right
    return seq if 0 < seq < 2**SEQ_BITS and id_of(seed, seq) == id else None


def _mixed(hasher: blake2b, half: int) -> int:
    hashed = hasher.copy()  # a new one with a key would take several times as long
    hashed.update(half.to_bytes(4))
    return int.from_bytes(hashed.digest())


@lru_cache(SEEDS_KEPT)
def _rounds(seed: str) -> tuple[blake2b, ...]:
    """The round functions, without their argument."""
    key = blake2b(seed.encode(), person=b"labchat item id").digest()
    return tuple(blake2b(digest_size=4, key=key, person=n.to_bytes(16)) for n in range(ROUNDS))
