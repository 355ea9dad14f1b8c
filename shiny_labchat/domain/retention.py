"""Until when a study keeps what it has of people. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from shiny_labchat.domain.settings import Settings

__all__ = ["DAY", "Retention", "as_date", "retention_in"]

DAY = 24 * 3600 * 1_000_000
"""A day, in microseconds."""


class Retention(NamedTuple):
    """
    The last days on which something of people is kept; None: for ever.

    Parameters
    ----------
    ids
        What their recruiters said of them.
    words
        Everything else: as if they withdrew.
    """

    ids: str | None = None
    words: str | None = None

    def due(self, now: int) -> dict[str, int]:
        """What must not be kept any more at a time, and since when, in microseconds (UTC)."""
        ends = {name: _end_of(day) for name, day in self._asdict().items() if day is not None}
        return {name: end for name, end in ends.items() if end <= now}


def retention_in(settings: Settings) -> Retention:
    """What the settings of a study say."""
    said: Mapping[str, str | None] = settings.get("retain") or {}
    return Retention(said.get("ids"), said.get("words"))


def as_date(what: str, day: object) -> str | None:
    """Check that the argument `what` is a day in the calendar, or None; return it."""
    if day is None:
        return None
    if isinstance(day, date) and not isinstance(day, datetime):
        return day.isoformat()
    if not isinstance(day, str):
        raise TypeError(f'{what} must be a day, such as "2036-12-31", not {day!r}')
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError as exc:
        raise ValueError(f'{what} must be a day, such as "2036-12-31", not {day!r}') from exc


def _end_of(day: str) -> int:
    days = date.fromisoformat(day).toordinal() - date(1970, 1, 1).toordinal()
    return (days + 1) * DAY
