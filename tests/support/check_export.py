"""Adds up an export, from its files alone; it imports nothing of ours: ``python ... FOLDER``."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.csv_text import table

__all__ = ["check", "flow_of", "pay_of"]

ROUGH = ("arrived", "consented", "waited", "grouped")
"""The steps that the events of study and lobbies alone say."""


def flow_of(folder: Path) -> dict[tuple[str, str], Counter[str]]:
    """By study and condition, how many people came how far, from the events."""
    people: dict[tuple[str, str], dict[str, Any]] = {}
    for event in table(folder / "events.csv"):
        data: Any = json.loads(event["data"] or "")
        study, member, kind = str(event["study"]), event["member"], event["kind"]
        if event["log"] == "study" and kind == "arrived":
            people[study, str(member)] = {"steps": {"arrived"}, "condition": ""}
        elif event["log"] == "study" and kind == "consented":
            people[study, str(member)]["steps"].add("consented")
        elif event["log"] == "lobby" and kind == "entered":
            people[study, str(member)]["steps"].add("waited")
        elif event["log"] == "study" and kind == "grouped":
            for each in data["people"]:
                people[study, each]["steps"].add("grouped")
                people[study, each]["condition"] = _line(data["condition"])
        elif event["log"] == "study" and kind == "ended":
            people[study, str(member)]["end"] = "end_" + data["reason"]
    counts: dict[tuple[str, str], Counter[str]] = {}
    for (study, _), person in people.items():
        steps = [*person["steps"], person.get("end", "still_inside")]
        counts.setdefault((study, person["condition"]), Counter()).update(steps)
    return counts


def _line(condition: Any) -> str:
    if isinstance(condition, dict):
        return ", ".join(f"{name}={value}" for name, value in condition.items())
    return "" if condition is None else str(condition)


def pay_of(folder: Path) -> Counter[tuple[str, str]]:
    """By member and kind of payment, the cents, from the table of payments."""
    sums: Counter[tuple[str, str]] = Counter()
    for row in table(folder / "payments.csv"):
        units, cents = str(row["amount"]).split(".")
        assert int(units) * 100 + int(cents) == int(str(row["cents"]))
        sums[str(row["member"]), str(row["kind"])] += int(str(row["cents"]))
    return sums


def check(folder: Path) -> int:
    """Check that the flow adds up and is that of the events; how many people it is about."""
    told: dict[tuple[str, str], Counter[str]] = {}
    for row in table(folder / "flow.csv"):
        key = str(row["study"]), str(row["condition"])
        told.setdefault(key, Counter())[str(row["step"])] = int(str(row["people"]))
    counted = flow_of(folder)
    assert told.keys() == counted.keys(), (told.keys(), counted.keys())
    for key, steps in told.items():
        ends = [step for step in steps if step.startswith("end_")]
        assert steps["arrived"] == sum(steps[end] for end in ends) + steps["still_inside"], key
        for step in (*ROUGH, *ends, "still_inside"):
            assert steps[step] == counted[key][step], (key, step)
        assert steps["grouped"] >= steps["started"] >= steps["finished"]
    return sum(steps["arrived"] for steps in told.values())


if __name__ == "__main__":
    print(check(Path(sys.argv[1])))
