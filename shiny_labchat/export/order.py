"""What is asked of an export."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from shiny_labchat.domain.study import StudyState
from shiny_labchat.export.times import as_iso

__all__ = ["Exported", "Order", "Progress", "as_rooms", "as_since", "shares_in"]

Progress = Callable[[int, int], None]
"""Called with how many events were read, and how many there are."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHARE = "share"
"""The item of the consent by which people agree that their words are published."""


@dataclass(frozen=True, slots=True)
class Order:
    """
    What is asked of an export.

    Parameters
    ----------
    study
        The name of a study; None: all studies.
    rooms
        The ids of rooms, to which it is limited; None: all.
    formats
        The names of the formats.
    is_anonymous
        Whether random ids stand in place of members' ids.
    is_public
        Whether the words of those are blanked who did not agree to share them.
    has_new_ids
        Whether the random ids are drawn for this export alone.
    since
        Only messages, events, records and calls since then, in microseconds since 1970 (UTC); 0:
        all.
    is_excel_safe
        Whether cells that Excel would take for formulas are guarded.
    """

    study: str | None = None
    rooms: tuple[str, ...] | None = None
    formats: tuple[str, ...] = ("csv",)
    is_anonymous: bool = False
    is_public: bool = False
    has_new_ids: bool = False
    since: int = 0
    is_excel_safe: bool = False

    def marker(self, studies: Sequence[str], rooms: Sequence[str] | None) -> dict[str, Any]:
        """What says of the export what was asked of it; `rooms`: their ids as they are shown."""
        return {
            "format": 1,
            "studies": list(studies),
            "rooms": None if rooms is None else list(rooms),
            "formats": list(self.formats),
            "anonymised": self.is_anonymous,
            "public": self.is_public,
            "since": as_iso(self.since) if self.since else None,
            "excel_safe": self.is_excel_safe,
        }


@dataclass(frozen=True, slots=True)
class Exported:
    """
    An export that was made.

    Parameters
    ----------
    folder
        Its folder.
    sha256
        Its hash: that of the file ``SHA256SUMS``, which has those of all others. It stands in the
        study's log, too.
    counts
        By table, how many rows it has.
    """

    folder: Path
    sha256: str
    counts: Mapping[str, int]


def as_since(since: object) -> int:
    """
    Check the argument `since`; return it in microseconds since 1970 (UTC), 0 for None.

    Raises
    ------
    TypeError
        It is neither a time nor the text of one.
    ValueError
        It is no time in ISO 8601, or says no time zone.
    """
    if since is None:
        return 0
    if not isinstance(since, str | datetime):
        raise TypeError(
            f"since must be a time, such as 2027-01-31T12:00:00Z, or None, not {since!r}"
        )
    try:
        moment = datetime.fromisoformat(since) if isinstance(since, str) else since
    except ValueError:
        raise ValueError(
            f"since must be a time, such as 2027-01-31T12:00:00Z, not {since!r}"
        ) from None
    if moment.tzinfo is None:
        raise ValueError(f"since must say its time zone, such as Z for UTC, not {since!r}")
    return max(0, (moment - _EPOCH) // timedelta(microseconds=1))


def shares_in(state: StudyState, bots: Collection[str]) -> Callable[[str], bool]:
    """Whether the words of a member may be published: a bot's, and of who has agreed."""

    def shares(member: str) -> bool:
        person = state.people.get(member)
        if person is None and member in bots:
            return True
        consent = None if person is None else person.consent
        return consent is not None and consent.answers.get(SHARE) is True

    return shares


def as_rooms(rooms: Iterable[object]) -> tuple[str, ...]:
    """The ids of rooms, each of which is one, or has one."""
    ids = (each if isinstance(each, str) else cast(Any, each).id for each in rooms)
    return tuple(dict.fromkeys(ids))
