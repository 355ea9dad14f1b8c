"""What a person of a study comes to at their end: where they go, and what is due to them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from shiny_labchat.domain.ends import End, end_of, fill
from shiny_labchat.domain.settings import Settings
from shiny_labchat.domain.study import Participation, StudyState

__all__ = [
    "address_at_end",
    "bonus",
    "condition_text",
    "due",
    "end_at",
    "ends_in",
    "in_units",
    "needs_params",
    "params_in",
    "unsaid_ends",
]


def end_at(state: StudyState, person: Participation) -> End | None:
    """
    The end that a person has come to; None: they take part, or the app says nothing of it.

    Its code is the one that they have been shown, though the app may say another one by now.
    """
    end = None if person.ended is None else ends_in(state.settings).get(person.ended.reason)
    return end if end is None or person.code is None else replace(end, code=person.code)


def ends_in(settings: Settings) -> dict[str, End]:
    """The ends of a study that its app gives, by reason."""
    ends: Mapping[str, Mapping[str, Any]] = settings.get("ends") or {}
    return {reason: end_of(data) for reason, data in ends.items()}


def unsaid_ends(settings: Mapping[str, Any]) -> list[str]:
    """
    The reasons for which people may leave without the app's doing, and of which it says nothing.

    `settings`: those of the study, by name. In a study without any ends nobody is paid: none.
    """
    ends = settings.get("ends")
    may_be = (*FROM_ANY, *FROM_LOBBY) if settings.get("has_lobby") else FROM_ANY
    may_be += ("replaced",) if settings.get("replaces") else ()
    return [reason for reason in may_be if reason not in ends] if ends else []


FROM_ANY = ("withdrew", "removed")
"""Reasons to leave any study, besides those of `UNPAID`."""
FROM_LOBBY = ("lobby_timeout", "not_ready", "idle", "group_dissolved")
"""Reasons to leave a study with a lobby; "full" needs a capacity."""


def params_in(settings: Settings) -> tuple[str, ...]:
    """The names of what a study's recruiter says in the address."""
    return tuple(settings.get("params") or ())


def bonus(person: Participation) -> int:
    """All payments of a person, in cents; what their end pays is not among them."""
    return sum(person.paid.values())


def due(state: StudyState, person: Participation) -> int:
    """
    What is still to be sent to a person, in cents.

    It is their payments, and the amount of their end if that is no word, less what they were sent.
    """
    end = end_at(state, person)
    amount = 0 if end is None else end.cents or 0
    return bonus(person) + amount - sum(person.paid_out.values())


KEPT_FOR_ADDRESS = 24 * 3600 * 1_000_000
"""How long the address of somebody who has withdrawn can be made, in microseconds."""


def needs_params(state: StudyState, person: Participation, at: int) -> bool:
    """
    Whether what the recruiter said of somebody who has withdrawn is still needed at a time.

    It is, to pay them, until all that is due is noted as sent; and for a day, if the address to
    which they go at their end has it.
    """
    if due(state, person) > 0:
        return True
    end = end_at(state, person)
    url = "" if end is None else end.url or ""
    named = any(f"{{{name}}}" in url for name in params_in(state.settings))
    return named and at < person.withdrawn_at + KEPT_FOR_ADDRESS


def in_units(cents: int) -> str:
    """An amount as a recruiter takes it, such as ``"1.50"``."""
    return str(Decimal(cents).scaleb(-2))


def condition_text(condition: Any) -> str | None:
    """A condition in one line, such as ``"calm"`` or ``"profile=hidden, leader=yes"``."""
    if isinstance(condition, Mapping):
        factors = cast("Mapping[str, Any]", condition)
        return ", ".join(f"{name}={factors[name]}" for name in factors)
    return None if condition is None else str(condition)


def address_at_end(
    state: StudyState, person: Participation, params: Mapping[str, str]
) -> str | None:
    """
    The address that a person goes to who has ended, with all its values.

    Parameters
    ----------
    state, person
        The study, and the person.
    params
        What their recruiter said of them.

    Returns
    -------
    str or None
        The address. None: they take part, or there is none for their reason.
    """
    end = end_at(state, person)
    if end is None or end.url is None:
        return None
    values = {
        **params,
        "code": end.code,
        "room": person.room,
        "condition": condition_text(person.condition),
        "member": person.person,
        "bonus": in_units(bonus(person)),
    }
    return fill(end.url, values)
