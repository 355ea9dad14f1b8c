"""
What a database says of a study's groups, read with nothing but its driver and json.

``python tests/support/check_groups.py URL STUDY LOBBY`` prints it. It imports nothing of the
package: so it cannot be wrong in the same way.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from typing import Any

import psycopg

__all__ = ["Entry", "check_groups", "read_log"]

Entry = dict[str, Any]
SECOND = 1_000_000


def read_log(url: str, study: str, kind: str, id: str) -> list[Entry]:
    """The events of a log, oldest first."""
    wanted = (
        "SELECT e.seq, e.at, e.kind, e.member, e.cid, e.data FROM event e JOIN room r"
        " ON r.key = e.room WHERE r.study = ? AND r.kind = ? AND r.id = ? ORDER BY e.seq"
    )
    if url.startswith("sqlite"):
        with sqlite3.connect(f"file:{url.removeprefix('sqlite:///')}?mode=ro", uri=True) as conn:
            rows = conn.execute(wanted, (study, kind, id)).fetchall()
    else:
        with psycopg.connect(url) as server:
            rows = server.execute(wanted.replace("?", "%s"), (study, kind, id)).fetchall()
    names = ("seq", "at", "kind", "member", "cid")
    return [{**dict(zip(names, row, strict=False)), "data": json.loads(row[5])} for row in rows]


def check_groups(url: str, study: str, lobby: str, alive: float, cells: list[Any]) -> Entry:
    """
    Count groups and people, and whatever must not be.

    Parameters
    ----------
    url
        The database.
    study, lobby
        The study, and its lobby.
    alive
        How long ago somebody may have been heard of when they are grouped, in seconds.
    cells
        The conditions.
    """
    log = read_log(url, study, "study", study)
    of_lobby = read_log(url, study, "lobby", lobby)
    grouped = [each for each in of_lobby if each["kind"] == "grouped"]
    people = [person for each in grouped for person in each["data"]["people"]]
    smaller = _smaller_cells(log, [json.dumps(cell, sort_keys=True) for cell in cells])
    return {
        "groups": len(grouped),
        "people grouped": len(people),
        "in two groups": len(people) - len(set(people)),
        "ghosts": _ghosts(grouped, alive),
        "oldest sign in s": _oldest(grouped),
        "smaller cell passed over": smaller,
        "groups by cell": _by_cell(grouped),
        "dissolved": sum(each["kind"] == "dissolved" for each in log),
        "ended": _by_reason(log),
    }


def _ghosts(grouped: list[Entry], alive: float) -> list[tuple[str, Any]]:
    """Who was grouped though they had not been heard of for too long."""
    found: list[tuple[str, Any]] = []
    for each in grouped:
        for person in each["data"]["people"]:
            seen = each["data"]["seen"][person]
            if seen is None or each["at"] - seen > alive * SECOND:
                found.append((person, None if seen is None else each["at"] - seen))
    return found


def _oldest(grouped: list[Entry]) -> float:
    ages = [each["at"] - seen for each in grouped for seen in each["data"]["seen"].values()]
    return max(ages, default=0) / SECOND


def _smaller_cells(log: list[Entry], cells: list[str]) -> int:
    """How often a group got a cell though another one had fewer groups then."""
    wrong, running = 0, dict[str, str]()
    for event in log:
        if event["kind"] == "dissolved":
            running.pop(event["data"]["room"], None)
        if event["kind"] != "grouped":
            continue
        chosen = json.dumps(event["data"]["condition"], sort_keys=True)
        counts = {cell: list(running.values()).count(cell) for cell in cells}
        wrong += counts[chosen] > min(counts.values())
        running[event["data"]["room"]] = chosen
    return wrong


def _by_cell(grouped: list[Entry]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in grouped:
        cell = json.dumps(each["data"]["condition"], sort_keys=True)
        found[cell] = found.get(cell, 0) + 1
    return found


def _by_reason(log: list[Entry]) -> dict[str, int]:
    reasons = [each["data"]["reason"] for each in log if each["kind"] == "ended"]
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}


if __name__ == "__main__":
    url, study, lobby = sys.argv[1:4]
    settings = next(
        each["data"]["settings"]
        for each in read_log(url, study, "lobby", lobby)
        if each["kind"] == "configured"
    )
    cells = settings.get("conditions") or [None]
    found = check_groups(url, study, lobby, settings.get("alive", 10), cells)
    for name, value in found.items():
        print(f"{name}: {value}")
