"""When a room is open by the clock on the wall: from when on, until when, at which hours. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import cast
from zoneinfo import ZoneInfo

__all__ = ["Hours", "as_hours", "as_moment", "is_within", "moment", "next_edge"]

Hours = tuple[str, str, str]
"""When it opens each day, when it closes, and the time zone: "08:00", "22:00", "Asia/Tokyo"."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def as_moment(what: str, value: object) -> str | None:
    """
    A moment as text, with its offset from UTC, as rules keep it; None stays None.

    Parameters
    ----------
    what, value
        The argument's name and its value: an aware `datetime`, or such a text.

    Raises
    ------
    TypeError
        It is neither.
    ValueError
        It has no offset from UTC, or is no time at all.
    """
    if value is None:
        return None
    like = f"{what} must be a time with its offset from UTC, such as 2026-11-30T18:00:00+01:00"
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as exc:
            raise ValueError(f"{like}, not {value!r}") from exc
    if not isinstance(value, datetime):
        raise TypeError(f"{like}, not {value!r}")
    if value.utcoffset() is None:
        raise ValueError(f"{like}; {value.isoformat()!r} has none")
    return value.isoformat()


def moment(text: str) -> int:
    """A moment that `as_moment` has given, in microseconds since 1970 (UTC)."""
    return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND


def as_hours(what: str, value: object) -> Hours | None:
    """
    The hours of each day at which a room is open, as rules keep them; None stays None.

    Parameters
    ----------
    what, value
        The argument's name and its value.

    Raises
    ------
    TypeError, ValueError
        It is not like ``("08:00", "22:00", "Europe/Berlin")``, or there is no such time zone.
    """
    if value is None:
        return None
    like = f'{what} must be like ("08:00", "22:00", "Europe/Berlin"), not {value!r}'
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(like)
    given = tuple(cast("Sequence[object]", value))
    if len(given) != 3 or not all(isinstance(each, str) for each in given):
        raise ValueError(like)
    opens, closes, zone = cast(Hours, given)
    try:
        edges = time.fromisoformat(opens), time.fromisoformat(closes)
    except ValueError as exc:
        raise ValueError(like) from exc
    if edges[0] == edges[1] or any(each.tzinfo is not None for each in edges):
        raise ValueError(like)
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, LookupError) as exc:
        raise ValueError(
            f"{what}: {zone!r} is no time zone that is known here, such as Europe/Berlin; "
            "where there are none, pip install tzdata"
        ) from exc
    return opens, closes, zone


def is_within(hours: Hours, at: int) -> bool:
    """Whether a time (microseconds) is within the hours; they end before their last moment."""
    return any(start <= at < end for start, end in _spans(hours, at))


def next_edge(hours: Hours, at: int) -> int:
    """When the hours begin or end next after a time, in microseconds."""
    return min(edge for span in _spans(hours, at) for edge in span if edge > at)


def _spans(hours: Hours, at: int) -> Iterator[tuple[int, int]]:
    """The hours of the day of a time, and of those around it: some go over midnight."""
    opens, closes = time.fromisoformat(hours[0]), time.fromisoformat(hours[1])
    zone = ZoneInfo(hours[2])
    today = (_EPOCH + at * _MICROSECOND).astimezone(zone).date()
    for day in (today - _DAY, today, today + _DAY):
        until = day if opens < closes else day + _DAY
        yield _at(day, opens, zone), _at(until, closes, zone)


def _at(day: date, hour: time, zone: ZoneInfo) -> int:
    return (datetime.combine(day, hour, zone) - _EPOCH) // _MICROSECOND
