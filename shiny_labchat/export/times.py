"""Times in ISO 8601, quickly. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["Times", "as_iso"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KEPT = 4_096
"""Most seconds whose texts are kept."""


def as_iso(at: int) -> str:
    """A time in microseconds since 1970 (UTC), such as ``2026-11-30T09:15:00.123456Z``."""
    moment = _EPOCH + timedelta(microseconds=at)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Times:
    """Makes the texts of many times: those of one second share all but their last digits."""

    def __init__(self) -> None:
        self._seconds: dict[int, str] = {}

    def texts(self, times: list[int | None], missing: str | None) -> list[str | None]:
        """The texts of times in microseconds; `missing` in place of None."""
        seconds = self._seconds
        made: list[str | None] = []
        add = made.append
        for at in times:
            if at is None:
                add(missing)
                continue
            second, rest = divmod(at, 1_000_000)
            known = seconds.get(second)
            if known is None:
                known = self._keep(second)
            add(f"{known}{rest:06d}Z")
        return made

    def _keep(self, second: int) -> str:
        if len(self._seconds) >= KEPT:
            self._seconds.clear()
        text = self._seconds[second] = as_iso(second * 1_000_000)[:-7]
        return text
