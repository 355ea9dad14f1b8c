"""
What this process counts and measures, through OpenTelemetry's API.

Without OpenTelemetry's SDK nothing is counted, and a call takes 0.05 µs; with it 5 µs. So nothing
is counted for each delivery: the most frequent calls are two for each transaction, made when all
have been told of it. No value and no attribute has anything of what people have said, or their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Literal

from opentelemetry.metrics import CallbackOptions, Observation, get_meter

__all__ = [
    "COMMIT_BOUNDARIES",
    "DELAY_BOUNDARIES",
    "Refusing",
    "bus_heard",
    "caught_up",
    "commit_failed",
    "committed",
    "observe_queue",
    "open_connection",
    "refused",
    "room_closed",
    "room_opened",
]

COMMIT_BOUNDARIES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0)
"""Bounds of the classes of a commit's duration, in seconds."""
DELAY_BOUNDARIES = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 3.0, 10.0)
"""Bounds of the classes of a bus's delay, in seconds."""

Refusing = Literal["action", "connection", "message", "page"]
"""What is refused: something that a person does in a study, a websocket, a message, or a page."""

_meter = get_meter("shiny_labchat")
_connections = _meter.create_up_down_counter(
    "labchat.open_connections", "{connection}", "Websockets of pages that were let in"
)
_rooms = _meter.create_up_down_counter(
    "labchat.open_rooms", "{room}", "Rooms that somebody has open in this process"
)
_events = _meter.create_counter(
    "labchat.stored_events", "{event}", "Events that this process has stored"
)
_commits = _meter.create_histogram(
    "labchat.commit.duration",
    "s",
    "Duration of transactions that store events, from their begin to their end",
    explicit_bucket_boundaries_advisory=COMMIT_BOUNDARIES,
)
_catch_ups = _meter.create_counter(
    "labchat.catch_ups", "{read}", "Reads of what a room or a page has missed from the log"
)
_refusals = _meter.create_counter(
    "labchat.refusals", "{refusal}", "Pages, websockets, messages and actions that were refused"
)
_bus_delays = _meter.create_histogram(
    "labchat.bus.delay",
    "s",
    "How long this process's own bell took to come back over the bus",
    explicit_bucket_boundaries_advisory=DELAY_BOUNDARIES,
)


@contextmanager
def open_connection(kind: Literal["room", "study"]) -> Generator[None]:
    """Count a websocket as open, inside the ``with`` block."""
    attributes = {"labchat.connection.kind": kind}
    _connections.add(1, attributes)
    try:
        yield
    finally:
        _connections.add(-1, attributes)


def room_opened() -> None:
    """Count a room that somebody has opened."""
    _rooms.add(1)


def room_closed() -> None:
    """Count a room that nobody has open any more."""
    _rooms.add(-1)


def committed(seconds: float, events: int) -> None:
    """Count a transaction, and the events that it has stored."""
    _commits.record(seconds)
    if events:
        _events.add(events)


def commit_failed(seconds: float, code: str) -> None:
    """Count a transaction that has stored nothing; `code`: of the `StoreError`."""
    _commits.record(seconds, {"error.type": code})


def caught_up(who: Literal["page", "room"]) -> None:
    """Count a read of what a room of this process, or one page, has missed."""
    _catch_ups.add(1, {"labchat.catch_up.of": who})


def refused(what: Refusing, code: str) -> None:
    """Count a refusal; `code`: as in `SENTENCES`."""
    _refusals.add(1, {"labchat.refusal.of": what, "error.type": code})


def bus_heard(seconds: float) -> None:
    """Note after how long a bell that this process has rung has come back over the bus."""
    _bus_delays.record(seconds)


def observe_queue(length: Callable[[], int]) -> None:
    """Have the number of commands asked for that wait for the writer, when it is wanted."""

    def observe(options: CallbackOptions) -> Iterable[Observation]:
        yield Observation(length())

    _meter.create_observable_up_down_counter(
        "labchat.queued_commands", [observe], "{command}", "Commands that wait to be stored"
    )
