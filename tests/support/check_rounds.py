"""
What a database says of the rounds of a game, read with nothing but its driver and json.

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
        How long somebody who has given, or has ended a round, may wait for the others, in seconds.
    """
    log = read_log(url, study, "study", study)
    grouped = [each["data"] for each in log if each["kind"] == "grouped"]
    rounds = _by_round(grouped)
    conditions: dict[int, set[str]] = {}
    for each in grouped:
        conditions.setdefault(each["cohort"], set()).add(json.dumps(each["condition"]))
    paid = [
        ((each["member"], each["data"]["key"]), each["data"]["cents"])
        for each in log
        if each["kind"] == "paid"
    ]
    waits = _waits_for_group(log), _waits_for_round(log)
    return {
        "rounds": {cohort: sorted(groups) for cohort, groups in rounds.items()},
        "groups": len(grouped),
        "in two groups of a round": _in_two(rounds),
        "met twice in a row": sum(len(pairs) for pairs in _in_a_row(rounds)),
        "met twice": _met_twice(rounds),
        "conditions of one cohort": max(map(len, conditions.values()), default=0),
        "paid twice": len(paid) - len(dict(paid)),
        "paid": len(paid),
        "unpaid or paid wrongly": len(_due(log, grouped).items() ^ dict(paid).items()),
        "longest waits in s": [round(max(each, default=0), 2) for each in waits],
        "waited too long": sum(wait > within + 2 for each in waits for wait in each),
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


def _due(log: list[Entry], grouped: list[Entry]) -> dict[tuple[str, str], int]:
    """What each is due for each round in which their group has waited for each other, in cents."""
    gave = _gifts(log)
    rounds = {each["room"]: each["round"] for each in grouped}
    due: dict[tuple[str, str], int] = {}
    for each in _barriers_met(log):
        room, people = each["room"], each["people"]
        gifts = [gave[room, person] for person in people]
        for person, gift in zip(people, gifts, strict=True):
            due[person, f"round {rounds[room]}"] = 20 - gift + 2 * sum(gifts) // len(gifts)
    return due


def _gifts(log: list[Entry]) -> dict[tuple[str, str], int]:
    """What each gave in each room: the one that the answer names, or where they were then."""
    gave: dict[tuple[str, str], int] = {}
    where: dict[str, str] = {}
    for each in log:
        data, who = each["data"], each["member"]
        if each["kind"] == "grouped":
            where |= dict.fromkeys(data["people"], data["room"])
        elif each["kind"] == "recorded" and data["kind"] == "gift":
            gave[data.get("room", where[who]), who] = int(data["value"]["gift"])
    return gave


def _barriers_met(log: list[Entry]) -> list[Entry]:
    met = (each["data"] for each in log if each["kind"] == "barrier_met")
    return [each for each in met if each["kind"] == "gift"]


def _waits_for_group(log: list[Entry]) -> list[float]:
    """How long each waited for their group, from giving to when all had, or to their end."""
    waits: list[float] = []
    since: dict[str, int] = {}
    for each in log:
        data = each["data"]
        match each["kind"]:
            case "recorded" if data["kind"] == "gift":
                since[each["member"]] = each["at"]
            case "barrier_met" if data["kind"] == "gift":
                waits += [(each["at"] - since.pop(who)) / SECOND for who in data["people"]]
            case "ended" if each["member"] in since:
                waits.append((each["at"] - since.pop(each["member"])) / SECOND)
            case _:
                pass
    return [*waits, *(float("inf") for _ in since)]


def _waits_for_round(log: list[Entry]) -> list[float]:
    """How long each waited for the next round, from ending theirs to the next or to their end."""
    waits: list[float] = []
    since: dict[str, int] = {}
    for each in log:
        data = each["data"]
        match each["kind"]:
            case "recorded" if data["kind"] == "seen":
                since.setdefault(each["member"], each["at"])
            case "round_begun":
                people = [who for who in data["people"] if who in since]
                waits += [(each["at"] - since.pop(who)) / SECOND for who in people]
            case "ended" if each["member"] in since:
                waits.append((each["at"] - since.pop(each["member"])) / SECOND)
            case _:
                pass
    return [*waits, *(float("inf") for _ in since)]


def _by_reason(log: list[Entry]) -> dict[str, int]:
    reasons = [each["data"]["reason"] for each in log if each["kind"] == "ended"]
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}


if __name__ == "__main__":
    for name, value in check_rounds(sys.argv[1], sys.argv[2], 120).items():
        print(f"{name}: {value}")
