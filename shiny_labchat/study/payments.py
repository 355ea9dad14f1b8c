"""What is due to the people of a study, and the record of what was sent to them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from shiny_labchat.domain.commands import PayOut
from shiny_labchat.domain.ended import due, in_units, params_in
from shiny_labchat.domain.ends import as_cents
from shiny_labchat.domain.study import StudyState
from shiny_labchat.store import arrivals_of
from shiny_labchat.study.study import Study

__all__ = ["Marked", "Payment", "due_in", "mark_paid"]


class Payment(NamedTuple):
    """
    What is due to somebody.

    Attributes
    ----------
    person
        Their id in the study.
    recruited
        Their recruiter's id, which is what the study's first param says; None: it is not known.
    cents
        The amount.
    """

    person: str
    recruited: str | None
    cents: int


async def due_in(study: Study) -> list[Payment]:
    """What is due to the people of a study, in the order in which they came."""
    state, ids = await study.state(), await _ids(study)
    people = ((person, due(state, person)) for person in state.people.values())
    return [
        Payment(person.person, ids.get(person.person), cents)
        for person, cents in people
        if cents > 0
    ]


async def _ids(study: Study) -> dict[str, str]:
    """The recruiter's ids of a study's people, by theirs."""
    first = next(iter(params_in((await study.state()).settings)), "")
    arrivals = await study.log.read(lambda conn: arrivals_of(conn, study.name))
    said = ((each.person, (each.params or {}).get(first)) for each in arrivals)
    return {person: id for person, id in said if id is not None}


class Marked(NamedTuple):
    """How many payments of a file were marked as sent now, and how many had been before."""

    now: int
    before: int


async def mark_paid(study: Study, name: str, lines: Sequence[str]) -> Marked:
    """
    Note that payments were sent, once for each file, whose name and lines tell files apart.

    Parameters
    ----------
    study
        The study.
    name
        The name of the file.
    lines
        Its lines: an id (the recruiter's, or the person's in the study), a comma, and an amount.

    Raises
    ------
    ValueError
        A line is not of this form, nobody has the id, or more was sent than is due. Then nothing is
        noted.
    """
    sent = _parsed(lines)
    if not sent:
        raise ValueError(f"{name} has no payments; each line must be an id, a comma, an amount")
    key = _key(name, sent)
    state, ids = await study.state(), await _ids(study)
    commands: list[PayOut] = []
    before = 0
    for id, cents in sent.items():
        people = [each for each in state.people if id in (each, ids.get(each))]
        if not people:
            raise ValueError(f"nobody in study {study.name!r} has the id {id!r}")
        parts = _parts(state, people, key, cents)
        if parts is None:
            owed = sum(max(0, due(state, state.people[each])) for each in people)
            raise ValueError(
                f"{id!r} was sent {in_units(cents)}, but {in_units(owed)} is due; nothing of "
                f"{name} was noted"
            )
        before += not parts
        commands += [PayOut(study.name, person, key, part) for person, part in parts]
    for command in commands:
        await study.submit(command)
    return Marked(len(sent) - before, before)


def _parsed(lines: Sequence[str]) -> dict[str, int]:
    """The amounts in cents, by id."""
    sent: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        id, _, amount = (part.strip() for part in line.rpartition(","))
        try:
            cents = as_cents(f"line {number}", Decimal(amount))
        except InvalidOperation:
            raise ValueError(
                f"line {number} must be an id, a comma, and an amount, not {line.strip()!r}"
            ) from None
        sent[id] = sent.get(id, 0) + cents
    return sent


def _key(name: str, sent: dict[str, int]) -> str:
    content = "\n".join([name, *(f"{id},{cents}" for id, cents in sorted(sent.items()))])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _parts(
    state: StudyState, people: Sequence[str], key: str, cents: int
) -> list[tuple[str, int]] | None:
    """
    How an amount is spread over the people with one recruiter's id, who may have come twice.

    Empty: it was noted before. None: it is more than is due to them.
    """
    rest = cents - sum(state.people[each].paid_out.get(key, 0) for each in people)
    parts: list[tuple[str, int]] = []
    for person in people:
        known = state.people[person]
        part = 0 if key in known.paid_out else min(rest, max(0, due(state, known)))
        if part:
            parts.append((person, part))
            rest -= part
    return None if rest > 0 else parts
