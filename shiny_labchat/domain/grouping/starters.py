"""First rounds from which rounds without a rematch follow by rotation. Pure data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["STARTERS", "Starter"]


class Starter(NamedTuple):
    """
    The first of several rounds in which nobody meets anybody twice.

    People sit at round tables with as many places as there are rounds, the first ones at the first
    table, and so on; those who are left over sit at none. From round to round those at the tables
    move on by one place, and the others stay.

    Parameters
    ----------
    rounds
        The number of rounds, and of the places at a table.
    groups
        The groups of the first round: the numbers of their people, from 0.
    """

    rounds: int
    groups: Sequence[Sequence[int]]

    def turned(self, place: int, by: int) -> int:
        """Who is in the place of somebody so many rounds later."""
        table, seat = divmod(place, self.rounds)
        people = sum(map(len, self.groups))
        is_at_table = (table + 1) * self.rounds <= people
        return table * self.rounds + (seat + by) % self.rounds if is_at_table else place


def _starter(rounds: int, groups: str) -> Starter:
    """A starter as it is written here: numbers with commas, groups with spaces between them."""
    return Starter(rounds, [[int(each) for each in group.split(",")] for group in groups.split()])


STARTERS: Mapping[tuple[int, int], Starter] = {
    (15, 3): _starter(
        7,
        "14,6,13 0,8,12 1,10,11 2,4,5 3,7,9",
    ),
    (18, 3): _starter(
        7,
        "14,2,12 15,6,11 16,3,10 17,1,7 0,4,5 8,9,13",
    ),
    (21, 3): _starter(
        9,
        "18,7,9 19,3,16 20,2,10 0,6,12 1,8,15 4,5,14 11,13,17",
    ),
    (24, 3): _starter(
        11,
        "22,2,18 23,5,19 0,15,20 1,9,11 3,7,8 4,6,12 10,17,21 13,14,16",
    ),
    (30, 3): _starter(
        14,
        "28,12,21 29,6,14 0,1,3 2,7,19 4,10,17 5,9,25 8,18,23 11,15,16 13,24,27 20,22,26",
    ),
    (33, 3): _starter(
        15,
        "30,0,25 31,6,27 32,8,15 1,28,29 2,14,16 3,5,21 4,10,11 7,22,26 9,13,18 12,20,23 17,19,24",
    ),
    (36, 3): _starter(
        17,
        "34,8,29 35,2,30 0,24,26 1,31,32 3,12,14 4,5,20 6,9,13 7,19,27 10,28,33 "
        "11,16,21 15,17,23 18,22,25",
    ),
    (39, 3): _starter(
        19,
        "38,9,33 0,6,23 1,11,20 2,17,35 3,29,32 4,7,18 5,25,37 8,15,30 10,26,31 "
        "12,13,24 14,16,22 19,27,28 21,34,36",
    ),
    (42, 3): _starter(
        20,
        "40,6,39 41,8,37 0,34,36 1,7,10 2,3,28 4,24,27 5,23,35 9,17,21 11,16,38 "
        "12,19,20 13,15,32 14,18,29 22,26,33 25,30,31",
    ),
    (45, 3): _starter(
        21,
        "42,20,38 43,2,32 44,13,30 0,25,33 1,3,9 4,39,40 5,29,34 6,17,28 7,12,19 "
        "8,21,27 10,11,14 15,31,35 16,26,37 18,23,41 22,24,36",
    ),
    (48, 3): _starter(
        23,
        "46,1,42 47,15,31 0,2,35 3,23,39 4,16,30 5,33,34 6,19,22 7,11,45 8,13,32 "
        "9,10,18 12,37,43 14,20,41 17,26,40 21,28,38 24,27,29 25,36,44",
    ),
    (51, 3): _starter(
        25,
        "50,12,30 0,7,19 1,46,48 2,24,25 3,17,44 4,14,42 5,29,37 6,15,36 8,16,41 "
        "9,13,28 10,11,47 18,23,32 20,22,26 21,31,38 27,40,43 33,34,39 35,45,49",
    ),
    (54, 3): _starter(
        26,
        "52,16,29 53,3,43 0,19,37 1,32,46 2,8,36 4,22,26 5,17,34 6,21,44 7,12,28 "
        "9,13,45 10,30,51 11,14,38 15,24,25 18,20,27 23,48,49 31,35,41 33,40,42 "
        "39,47,50",
    ),
    (57, 3): _starter(
        27,
        "54,5,43 55,6,27 56,25,41 0,1,45 2,38,49 3,18,52 4,20,50 7,26,30 8,22,48 "
        "9,15,19 10,13,37 11,36,44 12,40,47 14,16,21 17,31,32 23,33,35 24,29,53 "
        "28,42,46 34,39,51",
    ),
    (60, 3): _starter(
        29,
        "58,3,55 59,7,51 0,27,41 1,5,18 2,50,52 4,30,42 6,16,34 8,14,48 9,33,44 "
        "10,24,32 11,40,56 12,23,54 13,46,49 15,20,45 17,25,26 19,22,39 21,28,31 "
        "29,38,53 35,36,57 37,43,47",
    ),
    (24, 4): _starter(
        7,
        "21,4,7,18 22,6,11,19 23,3,12,14 0,1,5,17 2,8,9,13 10,15,16,20",
    ),
    (28, 4): _starter(
        9,
        "27,7,17,22 0,9,18,26 1,4,5,16 2,10,15,21 3,19,23,25 6,8,13,20 11,12,14,24",
    ),
    (36, 4): _starter(
        10,
        "30,4,18,22 31,2,11,26 32,7,13,24 33,8,15,27 34,9,12,20 35,6,14,21 0,1,3,23 "
        "5,10,16,17 19,25,28,29",
    ),
    (40, 4): _starter(
        12,
        "36,5,22,31 37,4,20,34 38,9,18,29 39,2,14,26 0,8,23,27 1,11,21,24 3,10,16,17 "
        "6,7,28,35 12,15,19,25 13,30,32,33",
    ),
    (44, 4): _starter(
        13,
        "39,8,22,34 40,9,17,33 41,3,13,32 42,12,19,27 43,1,18,36 0,4,11,38 2,5,14,21 "
        "6,7,26,37 10,15,23,25 16,20,29,30 24,28,31,35",
    ),
    (48, 4): _starter(
        14,
        "42,12,24,29 43,4,22,36 44,11,14,40 45,13,26,35 46,0,15,33 47,10,21,38 "
        "1,3,17,23 2,7,37,41 5,8,9,32 6,16,25,27 18,19,34,39 20,28,30,31",
    ),
}
"""By the numbers of people and of people in a group; found by a search on a computer."""
