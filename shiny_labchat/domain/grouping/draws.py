"""
Draws that anybody can repeat who knows the seed.

Each draw is computed from a seed and from what it is for, by keyed BLAKE2b, so it needs no random
numbers: the same seed gives the same draw, in every process and after every restart. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

__all__ = ["draw_below", "draw_order", "lobby_seed", "shuffled"]

DIGEST_SIZE = 16
"""Bytes of a draw: numbers so large that one below another is drawn without a bias."""


def lobby_seed(seed: str, lobby: str) -> str:
    """The seed of a lobby, from the seed of its study: no two lobbies draw alike."""
    return _hasher(seed, "lobby", lobby).hexdigest()


def draw_order(seed: str, group: str, people: Iterable[str]) -> list[str]:
    """
    The people of a group in an order that does not depend on the order in which they are given.

    Parameters
    ----------
    seed
        The lobby's seed.
    group
        The id of the group's room.
    people
        The ids of the people.
    """
    return shuffled(sorted(people), seed, "order", group)


def shuffled(people: Iterable[str], seed: str, *purpose: object) -> list[str]:
    """The people in an order that depends on the seed, on the purpose, and on who they are."""
    start = _hasher(seed, *purpose, "")

    def place(person: str) -> bytes:
        hashed = start.copy()  # a new one with a key would take several times as long
        hashed.update(person.encode())
        return hashed.digest()

    return sorted(people, key=place)


def draw_below(count: int, seed: str, *purpose: object) -> int:
    """A whole number from 0 to `count` - 1."""
    return int.from_bytes(_hasher(seed, *purpose).digest()) % count


def _hasher(seed: str, *purpose: object) -> blake2b:
    """What is hashed has its pieces apart: no id has a NUL."""
    key = blake2b(seed.encode(), person=b"labchat grouping").digest()
    return blake2b("\0".join(map(str, purpose)).encode(), digest_size=DIGEST_SIZE, key=key)
