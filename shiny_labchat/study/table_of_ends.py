"""How the people of a study have ended, as a table for the experimenter."""

from __future__ import annotations

from collections.abc import Mapping

from shiny_labchat.domain.ended import bonus, condition_text, end_at, in_units, params_in
from shiny_labchat.domain.messages import to_datetime
from shiny_labchat.domain.study import Participation, StudyState
from shiny_labchat.store import arrivals_of
from shiny_labchat.study.study import Study

__all__ = ["COLUMNS", "table_of_ends"]

COLUMNS = (
    "person",
    "arrived_at",
    "ended_at",
    "end",
    "code",
    "pay",
    "bonus",
    "room",
    "condition",
    "part",
    "to_delete",
    "withdrawn_at",
)
"""The columns of a table of ends; before them are the study and what the recruiter says."""


async def table_of_ends(study: Study) -> tuple[list[str], list[list[str]]]:
    """
    All people of a study with their ends: the names of the columns, and the rows.

    What the recruiter says of them is in it, so it is for the experimenter only.
    """
    state = await study.state()
    arrivals = await study.log.read(lambda conn: arrivals_of(conn, study.name))
    said = {each.person: each.params or {} for each in arrivals}
    names = params_in(state.settings)
    rows = [
        [study.name, *(said.get(id, {}).get(name, "") for name in names), *_row(state, person)]
        for id, person in state.people.items()
    ]
    return ["study", *names, *COLUMNS], rows


def _row(state: StudyState, person: Participation) -> list[str]:
    """The row of a person; its cells are those of `COLUMNS`."""
    ended, end = person.ended, end_at(state, person)
    pay = "" if end is None else end.pay if end.cents is None else in_units(end.cents)
    cells: Mapping[str, object] = {
        "person": person.person,
        "arrived_at": _time(person.arrived),
        "ended_at": None if ended is None else _time(ended.at),
        "end": None if ended is None else ended.reason,
        "code": None if end is None else end.code,
        "pay": pay,
        "bonus": in_units(bonus(person)),
        "room": person.room,
        "condition": condition_text(person.condition),
        "part": person.part,
        "to_delete": "yes" if person.wants_withdrawal else None,
        "withdrawn_at": _time(person.withdrawn_at) if person.withdrawn else None,
    }
    return ["" if cells[name] is None else str(cells[name]) for name in COLUMNS]


def _time(at: int) -> str:
    return to_datetime(at).isoformat(timespec="seconds")
