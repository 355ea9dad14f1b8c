"""Small rings in which many differences can be divided by: what designs are made of. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

__all__ = ["Ring", "largest_family", "ring_of"]


class Ring(NamedTuple):
    """
    A ring, whose elements are the numbers from 0 to one less than their number.

    Parameters
    ----------
    plus, times
        The tables of its addition and multiplication.
    units
        Elements of which any two differ by one that has an inverse, as many as there can be in a
        ring of this make.
    """

    plus: Sequence[Sequence[int]]
    times: Sequence[Sequence[int]]
    units: Sequence[int]


def largest_family(number: int) -> int:
    """How many `units` the ring with so many elements has."""
    return min((prime**power for prime, power in _factors(number)), default=1)


@cache
def ring_of(number: int) -> Ring:
    """The product of the finite fields whose sizes are the prime powers in a number."""
    fields = [_field(prime, power) for prime, power in _factors(number)]
    sizes = [len(field.plus) for field in fields]
    elements = list(product(*(range(size) for size in sizes)))
    places = {element: at for at, element in enumerate(elements)}

    def table(name: str) -> list[list[int]]:
        tables = [getattr(field, name) for field in fields]
        return [
            [
                places[tuple(t[a][b] for t, a, b in zip(tables, one, other, strict=True))]
                for other in elements
            ]
            for one in elements
        ]

    units = [places[(at,) * len(fields)] for at in range(largest_family(number))]
    return Ring(table("plus"), table("times"), units)


def _factors(number: int) -> list[tuple[int, int]]:
    """The primes in a number, each with its power."""
    found: list[tuple[int, int]] = []
    prime = 2
    while number > 1:
        power = 0
        while number % prime == 0:
            number //= prime
            power += 1
        if power:
            found.append((prime, power))
        prime += 1
    return found


def _field(prime: int, power: int) -> Ring:
    """The field of this size: polynomials over a prime, without multiples of a prime one."""
    elements = list(product(range(prime), repeat=power))
    places = {element: at for at, element in enumerate(elements)}
    modulus = _irreducible(prime, power)

    def plus(one: Sequence[int], other: Sequence[int]) -> int:
        return places[tuple((a + b) % prime for a, b in zip(one, other, strict=True))]

    def times(one: Sequence[int], other: Sequence[int]) -> int:
        return places[_rest(_product(one, other, prime), modulus, prime)]

    return Ring(
        [[plus(one, other) for other in elements] for one in elements],
        [[times(one, other) for other in elements] for one in elements],
        range(len(elements)),
    )


def _product(one: Sequence[int], other: Sequence[int], prime: int) -> list[int]:
    """The product of two polynomials, whose highest coefficients come first."""
    result = [0] * (len(one) + len(other) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            result[i + j] = (result[i + j] + a * b) % prime
    return result


def _rest(value: Sequence[int], modulus: Sequence[int], prime: int) -> tuple[int, ...]:
    """What is left of a polynomial by one whose highest coefficient is 1."""
    left, degree = list(value), len(modulus) - 1
    for at in range(len(left) - degree):
        factor = left[at]
        for j, coefficient in enumerate(modulus):
            left[at + j] = (left[at + j] - factor * coefficient) % prime
    return tuple(left[-degree:])


def _irreducible(prime: int, degree: int) -> tuple[int, ...]:
    """A polynomial that no other one divides, with 1 as its highest coefficient."""

    def monic(of: int) -> list[tuple[int, ...]]:
        return [(1, *rest) for rest in product(range(prime), repeat=of)]

    smaller = [each for of in range(1, degree // 2 + 1) for each in monic(of)]
    return next(
        each for each in monic(degree) if all(any(_rest(each, by, prime)) for by in smaller)
    )
