"""The log on disk: tables, one writer with group commit, and readers."""

from __future__ import annotations

from shiny_labchat.store.arrivals import (
    Arrival,
    arrival_of,
    arrivals_of,
    complete_arrival,
    find_arrivals,
    forget_arrivals,
    insert_arrival,
    keep_hash_only,
    set_delete_after,
    set_generation,
    with_id,
    with_key,
)
from shiny_labchat.store.batch import Outcome
from shiny_labchat.store.clocks import rooms_with_clocks
from shiny_labchat.store.log import Log
from shiny_labchat.store.memberships import rooms_of
from shiny_labchat.store.names import find_name, give_name
from shiny_labchat.store.queries import (
    dependencies,
    event_at,
    events_after,
    events_before,
    find_room,
    is_settled,
    load_state,
    messages_between,
    open_streams,
    room_number,
    rooms,
    studies_with,
    submitted,
    visible_before,
)
from shiny_labchat.store.seen import Person, note_seen, rooms_with_people, seen_of
from shiny_labchat.store.sqlite import parse
from shiny_labchat.store.tokens import (
    Grant,
    hash_of,
    is_revoked,
    is_valid,
    issue,
    look_up,
    note,
    redeem,
    reissue,
    revoke,
    tokens_of,
)
from shiny_labchat.store.work import Committed

__all__ = [
    "Arrival",
    "Committed",
    "Grant",
    "Log",
    "Outcome",
    "Person",
    "arrival_of",
    "arrivals_of",
    "complete_arrival",
    "dependencies",
    "event_at",
    "events_after",
    "events_before",
    "find_arrivals",
    "find_name",
    "find_room",
    "forget_arrivals",
    "give_name",
    "hash_of",
    "insert_arrival",
    "is_revoked",
    "is_settled",
    "is_valid",
    "issue",
    "keep_hash_only",
    "load_state",
    "look_up",
    "messages_between",
    "note",
    "note_seen",
    "open_streams",
    "parse",
    "redeem",
    "reissue",
    "revoke",
    "room_number",
    "rooms",
    "rooms_of",
    "rooms_with_clocks",
    "rooms_with_people",
    "seen_of",
    "set_delete_after",
    "set_generation",
    "studies_with",
    "submitted",
    "tokens_of",
    "visible_before",
    "with_id",
    "with_key",
]
