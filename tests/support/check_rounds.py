"""
What a database says of the rounds of a study, read with nothing but its driver and json.

``python tests/support/check_rounds.py URL STUDY`` prints it. It imports nothing of the package: so
it cannot be wrong in the same way.
"""

from __future__ import annotations

import json
import sys
from itertools import combinations
from typing import Any

if __package__:
    from tests.support.check_groups import SECOND, read_log
else:  # as a script
    from check_groups import SECOND, read_log

__all__ = ["check_rounds"]

Entry = dict[str, Any]


def check_rounds(url: str, study: str, within: float) -> Entry:
    """
    Count rounds, and whatever must not be.

    Parameters
    ----------
    url
        The database.
    study
        The study.
    within
        How long somebody who has ended a round may wait for the others, in seconds.
    """
    log = read_log(url, study, "study", study)
    grouped = [each["data"] for each in log if each["kind"] == "grouped"]
    rounds = _by_round(grouped)
    conditions: dict[int, set[str]] = {}
    for each in grouped:
        conditions.setdefault(each["cohort"], set()).add(json.dumps(each["condition"]))
    paid = [(each["member"], each["data"]["key"]) for each in log if each["kind"] == "paid"]
    waits = _waits(log)
    return {
        "rounds": {cohort: sorted(groups) for cohort, groups in rounds.items()},
        "groups": len(grouped),
        "in two groups of a round": _in_two(rounds),
        "met twice in a row": sum(len(pairs) for pairs in _in_a_row(rounds)),
        "met twice": _met_twice(rounds),
        "conditions of one cohort": max(map(len, conditions.values()), default=0),
        "paid twice": len(paid) - len(set(paid)),
        "paid": len(paid),
        "unpaid or paid wrongly": _wrongly_paid(log, grouped, set(paid)),
        "longest wait in s": round(max(waits, default=0), 2),
        "waited too long": sum(wait > within + 2 for wait in waits),
        "ended": _by_reason(log),
    }


def _by_round(grouped: list[Entry]) -> dict[int, dict[int, list[list[str]]]]:
    found: dict[int, dict[int, list[list[str]]]] = {}
    for each in grouped:
        found.setdefault(each["cohort"], {}).setdefault(each["round"], []).append(each["people"])
    return found


def _pairs(groups: list[list[str]]) -> set[frozenset[str]]:
    return {frozenset(pair) for group in groups for pair in combinations(group, 2)}


def _in_two(rounds: dict[int, dict[int, list[list[str]]]]) -> int:
    wrong = 0
    for cohort in rounds.values():
        for groups in cohort.values():
            people = [person for group in groups for person in group]
            wrong += len(people) - len(set(people))
    return wrong


def _in_a_row(rounds: dict[int, dict[int, list[list[str]]]]) -> list[set[frozenset[str]]]:
    return [
        _pairs(groups) & _pairs(cohort[number + 1])
        for cohort in rounds.values()
        for number, groups in cohort.items()
        if number + 1 in cohort
    ]


def _met_twice(rounds: dict[int, dict[int, list[list[str]]]]) -> int:
    wrong = 0
    for cohort in rounds.values():
        met: set[frozenset[str]] = set()
        for groups in cohort.values():
            now = _pairs(groups)
            wrong += len(met & now)
            met |= now
    return wrong


def _wrongly_paid(log: list[Entry], grouped: list[Entry], paid: set[tuple[str, str]]) -> int:
    """Who of a group that has waited for each other was not paid for its round, or others were."""
    met = {
        each["data"]["room"]: each["data"]["people"]
        for each in log
        if each["kind"] == "barrier_met" and each["data"]["kind"] == "gift"
    }
    due = {
        (person, f"round {each['round']}")
        for each in grouped
        for person in met.get(each["room"], ())
    }
    return len(due ^ paid)


def _waits(log: list[Entry]) -> list[float]:
    """How long each waited for the next round, from ending theirs to the next or to their end."""
    waits: list[float] = []
    since: dict[str, int] = {}
    for each in log:
        data = each["data"]
        match each["kind"]:
            case "recorded" if data["kind"] == "seen":
                since.setdefault(each["member"], each["at"])
            case "round_begun":
                for person in data["people"]:
                    if person in since:
                        waits.append((each["at"] - since.pop(person)) / SECOND)
            case "ended":
                since.pop(each["member"], None)
            case _:
                pass
    return waits


def _by_reason(log: list[Entry]) -> dict[str, int]:
    reasons = [each["data"]["reason"] for each in log if each["kind"] == "ended"]
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}


if __name__ == "__main__":
    for name, value in check_rounds(sys.argv[1], sys.argv[2], 120).items():
        print(f"{name}: {value}")
