"""
The mathematics of forming groups: sizes, who with whom, conditions, parts, order.

All of it can be computed again from what is on record: a seed, who waited, and the number of the
group. Pure.
"""

from __future__ import annotations

from shiny_labchat.domain.grouping.cells import (
    Balance,
    Cell,
    Draw,
    cells,
    check_cell,
    check_condition,
    draw_cell,
)
from shiny_labchat.domain.grouping.draws import draw_order, lobby_seed
from shiny_labchat.domain.grouping.matching import (
    Avoid,
    Division,
    Group,
    Pick,
    Waiting,
    check_groups,
    propose,
    spread,
)
from shiny_labchat.domain.grouping.parts import assign_parts, check_parts
from shiny_labchat.domain.grouping.perfect import most_rounds
from shiny_labchat.domain.grouping.rematches import Met
from shiny_labchat.domain.grouping.rounds import (
    Rematch,
    Round,
    Short,
    divide,
    sizes_in_round,
    smallest,
)
from shiny_labchat.domain.grouping.sizes import GroupSize, Leftover, group_sizes

__all__ = [
    "Avoid",
    "Balance",
    "Cell",
    "Division",
    "Draw",
    "Group",
    "GroupSize",
    "Leftover",
    "Met",
    "Pick",
    "Rematch",
    "Round",
    "Short",
    "Waiting",
    "assign_parts",
    "cells",
    "check_cell",
    "check_condition",
    "check_groups",
    "check_parts",
    "divide",
    "draw_cell",
    "draw_order",
    "group_sizes",
    "lobby_seed",
    "most_rounds",
    "propose",
    "sizes_in_round",
    "smallest",
    "spread",
]
