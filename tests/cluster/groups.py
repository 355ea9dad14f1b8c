"""What the database says of the groups of people who arrived, read without the package."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.support.check_groups import Entry, check_groups, read_log

__all__ = ["ALIVE", "CONDITIONS", "LOBBY", "STUDY", "faults_of_groups"]

STUDY, LOBBY = "arrivals", "lobby"
CONDITIONS = ["calm", "heated", "plain"]
ALIVE = 10.0
"""How long ago somebody may have been heard of when they are grouped, in seconds."""


def faults_of_groups(url: str, outcomes: Counter[str]) -> list[str]:
    """
    What must not be: somebody in two groups, a group whose welcome is not there once, and so on.

    `outcomes`: how many people's pages have come to what: "grouped", or a code.
    """
    found = check_groups(url, STUDY, LOBBY, ALIVE, CONDITIONS)
    faults = [f"{name}: {found[name]}" for name in _NONE if found[name]]
    if found["people grouped"] != outcomes["grouped"]:
        shown = outcomes["grouped"]
        faults.append(f"{found['people grouped']} people are grouped, {shown} pages show it")
    if unknown := set(outcomes) - {"grouped", "LT22", "NR33"}:
        faults.append(f"pages came to {unknown}")
    lobby = read_log(url, STUDY, "lobby", LOBBY)
    for group in (each["data"] for each in lobby if each["kind"] == "grouped"):
        said = Counter(_text_of(each) for each in read_log(url, STUDY, "room", group["room"]))
        wanted = {
            f"Hello {len(group['people'])}.": 1,
            f"It is {group['condition']}.": 1,
            "": said[""],
        }
        if said != Counter(wanted):
            faults.append(f"{group['room']}: {said}")
    return faults


_NONE = ("ghosts", "in two groups", "smaller cell passed over")


def _text_of(event: Entry) -> str:
    """What a message says; of other events the empty text."""
    parts: list[Any] = event["data"]["parts"] if event["kind"] == "message" else []
    return "".join(part[1] for part in parts)
