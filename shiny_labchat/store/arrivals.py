"""
Arrivals: the people of a study, and what their recruiters say of them.

This is the only table with recruiters' ids. They are in no event, and are sent to no browser.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from shiny_labchat.store.schema import arrival

__all__ = [
    "Arrival",
    "arrival_of",
    "arrivals_of",
    "complete_arrival",
    "find_arrivals",
    "forget_arrivals",
    "forget_arrivals_of",
    "generations_of",
    "insert_arrival",
    "keep_hash_only",
    "set_delete_after",
    "set_generation",
    "with_id",
    "with_key",
]

MOST_IDS = 500
"""Most people who are looked up by their ids; of more, all arrivals of the study are read."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """
    A person of a study, as their recruiter has sent them.

    Parameters
    ----------
    study, person
        The study, and the person's id in it.
    params
        What the recruiter said, by parameter; what was missing is left out. None: only the hashes
        are kept, as they refused consent.
    key
        A keyed hash of the study and all params; None: some were missing.
    who
        A keyed hash of the study and the first param, which says who somebody is; None: missing.
    generation
        The number of the person's newest browser: 1, 2, 3, ...
    at
        When they came first, in microseconds (UTC).
    delete_after
        When this is deleted, in microseconds (UTC); None: no date is set.
    """

    study: str
    person: str
    params: Mapping[str, str] | None = field(default_factory=dict[str, str])
    key: str | None = None
    who: str | None = None
    generation: int = 1
    at: int = 0
    delete_after: int | None = None


def insert_arrival(conn: sa.Connection, new: Arrival) -> None:
    """Store an arrival."""
    row = {column.name: getattr(new, column.name) for column in arrival.c}
    conn.execute(sa.insert(arrival).values({**row, "params": _dumps(new.params)}))


def arrival_of(conn: sa.Connection, study: str, person: str) -> Arrival | None:
    """The arrival of a person; None: unknown, or deleted."""
    return _first(conn, *_is(study, person))


def generations_of(conn: sa.Connection, study: str, people: Collection[str]) -> dict[str, int]:
    """The numbers of the newest browsers of people; who is unknown is left out."""
    ids, found = list(people), dict[str, int]()
    for start in range(0, len(ids), MOST_IDS):
        wanted = {"study": study, "people": ids[start : start + MOST_IDS]}
        found |= {person: number for person, number in conn.execute(_GENERATIONS, wanted)}
    return found


_GENERATIONS = sa.select(arrival.c.person, arrival.c.generation).where(
    arrival.c.study == sa.bindparam("study"),
    arrival.c.person.in_(sa.bindparam("people", expanding=True)),
)


def with_key(conn: sa.Connection, study: str, key: str | None) -> Arrival | None:
    """The arrival with this hash of all params; None: there is none."""
    return None if key is None else _first(conn, arrival.c.study == study, arrival.c.key == key)


def with_id(conn: sa.Connection, study: str, who: str | None) -> Arrival | None:
    """The first arrival with this hash of the first param; None: there is none."""
    return None if who is None else _first(conn, arrival.c.study == study, arrival.c.who == who)


def arrivals_of(
    conn: sa.Connection, study: str, people: Collection[str] | None = None
) -> list[Arrival]:
    """
    The arrivals of a study, in their order.

    `people`: at least those of the people with these ids; None: of all.
    """
    where = [arrival.c.study == study]
    if people is not None and len(people) <= MOST_IDS:
        where.append(arrival.c.person.in_(people))
    return _all(conn, *where)


def find_arrivals(
    conn: sa.Connection, params: Mapping[str, str], study: str | None = None
) -> list[Arrival]:
    """
    The arrivals that have all of these params with these values; reads all of the table.

    `study`: only of this one; None: of all.
    """
    where = () if study is None else (arrival.c.study == study,)
    return [each for each in _all(conn, *where) if params.items() <= (each.params or {}).items()]


def complete_arrival(
    conn: sa.Connection, known: Arrival, params: Mapping[str, str], key: str | None, who: str | None
) -> None:
    """Add params that were missing when a person came first."""
    news = {"params": _dumps({**(known.params or {}), **params}), "key": key, "who": who}
    _change(conn, known.study, known.person, **news)


def set_generation(conn: sa.Connection, study: str, person: str, generation: int) -> None:
    """Note the number of a person's newest browser."""
    _change(conn, study, person, generation=generation)


def keep_hash_only(conn: sa.Connection, study: str, person: str) -> None:
    """Delete what the recruiter said of somebody, but for keyed hashes: they refused consent."""
    _change(conn, study, person, params=None)


def set_delete_after(conn: sa.Connection, study: str, when: int | None) -> None:
    """Set the date of deletion of all arrivals of a study, in microseconds (UTC)."""
    of_study = sa.update(arrival).where(arrival.c.study == study)
    conn.execute(of_study.values(delete_after=when))


def forget_arrivals(conn: sa.Connection, now: int) -> int:
    """Delete the arrivals whose date has come, hashes included; return how many there were."""
    return conn.execute(sa.delete(arrival).where(arrival.c.delete_after <= now)).rowcount


def forget_arrivals_of(conn: sa.Connection, study: str) -> int:
    """Delete all arrivals of a study, hashes included; return how many there were."""
    return conn.execute(sa.delete(arrival).where(arrival.c.study == study)).rowcount


def _change(conn: sa.Connection, study: str, person: str, **values: Any) -> None:
    conn.execute(sa.update(arrival).where(*_is(study, person)).values(**values))


def _is(study: str, person: str) -> tuple[sa.ColumnElement[bool], ...]:
    return arrival.c.study == study, arrival.c.person == person


def _first(conn: sa.Connection, *where: sa.ColumnElement[bool]) -> Arrival | None:
    row = conn.execute(_in_order(*where).limit(1)).first()
    return None if row is None else _arrival(tuple(row))


def _all(conn: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Arrival]:
    return [_arrival(tuple(row)) for row in conn.execute(_in_order(*where))]


def _in_order(*where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(arrival).where(*where).order_by(arrival.c.at, arrival.c.person)


def _arrival(row: Sequence[Any]) -> Arrival:
    study, person, params, *others = row
    return Arrival(study, person, None if params is None else json.loads(params), *others)


def _dumps(params: Mapping[str, str] | None) -> str | None:
    return None if params is None else json.dumps(dict(params), ensure_ascii=False)
