"""The errors of PostgreSQL and of its driver, and what they mean for a lab."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, TimeoutError

from shiny_labchat.errors import StoreError

__all__ = ["SEALED_STATE", "has_waited_in_vain", "is_passing", "store_error"]

SEALED_STATE = "LCM01"
"""The state of the error with which a sealed database refuses; see `seal`."""

_PASSING = ("08", "25P03", "25P04", "40001", "40P01", "57P01", "57P02", "57P03")
"""
How the states begin of errors that may pass at once: a lost connection, a session that was ended
as it has waited, a conflict of two transactions, a server that is started again.
"""
_CODES = {
    "08": "store_gone",
    "25006": "store_read_only",
    "25P": "store_busy",
    "28": "store_broken",
    "3D": "store_missing",
    "40": "store_busy",
    "53100": "store_full",
    "53300": "store_busy",
    "55P03": "store_busy",
    "57014": "store_busy",
    "57P": "store_gone",
    SEALED_STATE: "store_moved",
}
"""By how an error's state begins, its code; all others are ``store_broken``."""
_WORDS = {
    "password": "store_broken",
    "authentication": "store_broken",
    "pg_hba.conf": "store_broken",
    "role": "store_broken",
    "does not exist": "store_missing",
    "too many": "store_busy",
    "connection slots": "store_busy",
}
"""
By words of the server, the code of an error at connecting: such errors have no state. A server may
use other words, or another language: then it counts as ``store_gone``.
"""


def store_error(url: sa.URL, exc: BaseException) -> StoreError:
    """A `StoreError` for an error, with the code that fits it."""
    if isinstance(exc, StoreError):
        return exc
    reason = _reason_of(exc)
    return StoreError(_code_of(exc, reason), url.render_as_string(), reason)


def is_passing(exc: BaseException) -> bool:
    """Whether nothing was stored, and the same may succeed at once on a new connection."""
    if not isinstance(exc, DBAPIError):
        return False
    if (state := _state_of(exc)) is not None and not exc.connection_invalidated:
        return state.startswith(_PASSING)
    return exc.connection_invalidated or _code_of(exc, _reason_of(exc)) == "store_gone"


def has_waited_in_vain(exc: DBAPIError) -> bool:
    """Whether a lock of somebody else was waited for until that was given up."""
    return _state_of(exc) == "55P03"


def _reason_of(exc: BaseException) -> str:
    """What the server says, without the details: they quote what people have said."""
    said = getattr(exc, "orig", None) or exc
    return (getattr(getattr(said, "diag", None), "message_primary", None) or str(said)).strip()


def _code_of(exc: BaseException, reason: str) -> str:
    if isinstance(exc, TimeoutError):  # of the pool of connections
        return "store_busy"
    if not isinstance(exc, DBAPIError):
        return "store_gone" if isinstance(exc, OSError) else "store_broken"
    if (state := _state_of(exc)) is not None:
        return next((code for begin, code in _CODES.items() if state.startswith(begin)), _BROKEN)
    if type(exc.orig).__name__ != "OperationalError" and not exc.connection_invalidated:
        return _BROKEN
    return next((code for word, code in _WORDS.items() if word in reason), "store_gone")


_BROKEN = "store_broken"


def _state_of(exc: DBAPIError) -> str | None:
    return getattr(exc.orig, "sqlstate", None)
