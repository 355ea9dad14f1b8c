"""Times in ISO 8601, quickly. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

__all__ = ["Times", "as_iso"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KEPT = 4_096
"""Most beginnings of texts that are kept."""
SHARED = 10_000_000
"""Ten seconds, in microseconds."""


def as_iso(at: int) -> str:
    """A time in microseconds since 1970 (UTC), such as ``2026-11-30T09:15:00.123456Z``."""
    moment = _EPOCH + timedelta(microseconds=at)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Times:
    """Makes the texts of many times: those of ten seconds share all but their last digits."""

    def __init__(self) -> None:
        self._shared: dict[int, str] = {}

    def texts(self, times: Iterable[int | None], missing: str | None) -> list[str | None]:
        """The texts of times in microseconds; `missing` in place of None."""
        shared = self._shared
        made: list[str | None] = []
        add = made.append
        for at in times:
            if at is None:
                add(missing)
                continue
            begin = shared.get(at // SHARED) or self._keep(at)
            digits = str(at)
            add(f"{begin}{digits[-7]}.{digits[-6:]}Z" if at >= SHARED else as_iso(at))
        return made

    def _keep(self, at: int) -> str:
        if len(self._shared) >= KEPT:
            self._shared.clear()
        text = self._shared[at // SHARED] = as_iso(at)[: -len("0.000000Z")]
        return text
