"""The log on disk: tables, one writer with group commit, and readers."""

from __future__ import annotations

from shiny_labchat.store.batch import Outcome
from shiny_labchat.store.log import Log
from shiny_labchat.store.names import find_name, give_name
from shiny_labchat.store.queries import (
    dependencies,
    event_at,
    events_after,
    events_before,
    find_room,
    is_settled,
    load_state,
    open_streams,
    room_number,
    rooms,
    submitted,
)
from shiny_labchat.store.sqlite import parse
from shiny_labchat.store.tokens import Grant, issue, look_up, note, redeem
from shiny_labchat.store.writer import Committed

__all__ = [
    "Committed",
    "Grant",
    "Log",
    "Outcome",
    "dependencies",
    "event_at",
    "events_after",
    "events_before",
    "find_name",
    "find_room",
    "give_name",
    "is_settled",
    "issue",
    "load_state",
    "look_up",
    "note",
    "open_streams",
    "parse",
    "redeem",
    "room_number",
    "rooms",
    "submitted",
]
