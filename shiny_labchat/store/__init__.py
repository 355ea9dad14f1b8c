"""The log on disk: tables, one writer with group commit, readers beside it."""

from __future__ import annotations

from shiny_labchat.store._batch import Outcome
from shiny_labchat.store._log import Log, open_log, opened_logs
from shiny_labchat.store._tables import (
    dependencies,
    event_at,
    events_after,
    events_before,
    find_room,
    is_settled,
    load_state,
    open_streams,
    rooms,
    submitted,
)
from shiny_labchat.store._tokens import Grant, issue, look_up, note, redeem
from shiny_labchat.store._writer import Committed
from shiny_labchat.store.audit import AuditEntry

__all__ = [
    "AuditEntry",
    "Committed",
    "Grant",
    "Log",
    "Outcome",
    "dependencies",
    "event_at",
    "events_after",
    "events_before",
    "find_room",
    "is_settled",
    "issue",
    "load_state",
    "look_up",
    "note",
    "open_log",
    "open_streams",
    "opened_logs",
    "redeem",
    "rooms",
    "submitted",
]
