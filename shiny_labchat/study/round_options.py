"""What an app says of the rounds of a lobby, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shiny_labchat.arguments import check_choice, check_count, check_number
from shiny_labchat.domain.grouping import GroupSize, group_sizes, most_rounds

__all__ = ["check_rounds"]


def check_rounds(given: Mapping[str, Any], size: GroupSize) -> None:
    """
    Check the arguments of a lobby that have to do with rounds.

    Parameters
    ----------
    given
        The arguments, by name.
    size
        The sizes of groups.
    """
    cohort, rematch = given["cohort"], given["rematch"]
    check_count("cohort", cohort, size.min, or_none=True)
    check_count("rounds", given["rounds"], 1)
    check_number("within", given["within"], above=0)
    check_choice("short", given["short"], ("smaller", "sit_out", "stand_in", "end"))
    if not callable(rematch):
        check_choice("rematch", rematch, ("partners", "strangers", "perfect"), also="a function")
    if cohort is not None:
        _check_cohort(cohort, size, given["batch"])
    elif rematch != "partners":
        raise ValueError(
            f"rematch={rematch!r} needs a cohort, such as cohort={4 * size.ideal}: how many people "
            "are grouped anew among themselves"
        )
    if rematch == "partners" and given["short"] == "sit_out":
        raise ValueError(
            "short='sit_out' cannot be with rematch='partners': the others would sit out all "
            "rounds; write 'smaller' or 'end'"
        )
    if rematch == "perfect":
        _check_perfect(given, size)
    if given["short"] == "stand_in" and not given["stand_ins"]:
        raise ValueError("short is 'stand_in', but the lobby has none: give stand_ins")
    in_rounds = cohort is not None or given["rounds"] > 1
    if in_rounds and given["short"] != "stand_in" and "stand_ins" in given["on_timeout"]:
        raise ValueError(
            "on_timeout has 'stand_ins', so that there are empty places in all rounds: write "
            "short='stand_in', too"
        )


def _check_cohort(cohort: int, size: GroupSize, batch: object) -> None:
    if sum(group_sizes(cohort, size, "spread")) != cohort:
        raise ValueError(
            f"cohort is {cohort}, but groups have {size} people: so many cannot be divided into "
            "such groups"
        )
    if batch is not None:
        raise ValueError("batch cannot be given with cohort, for which so many people wait anyway")


def _check_perfect(given: Mapping[str, Any], size: GroupSize) -> None:
    cohort, rounds = given["cohort"], given["rounds"]
    if not size.is_fixed or size.ideal < 2:
        raise ValueError(
            "rematch='perfect' needs groups of one size, of two people or more, such as "
            f"group_size=2, not {given['group_size']!r}"
        )
    most = most_rounds(cohort, size.ideal)
    if rounds > most:
        in_rounds = "1 round" if most == 1 else f"{most} rounds"
        raise ValueError(
            f"rematch='perfect' with cohort={cohort} and group_size={size.ideal} can be done in "
            f"{in_rounds} at most, not {rounds}"
        )
    if given["short"] == "end":
        raise ValueError(
            "short='end' cannot be with rematch='perfect': with each who is gone, groups of all "
            "rounds would end; write 'smaller' or 'sit_out'"
        )
    if "smaller" in given["on_timeout"]:
        raise ValueError(
            "on_timeout cannot have 'smaller' with rematch='perfect': with fewer people there are "
            "fewer rounds in which nobody meets anybody twice"
        )
