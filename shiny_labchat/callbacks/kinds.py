"""The kinds of events that callbacks are called with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.events import Event, LogKey, LogKind
from shiny_labchat.domain.messages import MessageText, is_message, message_of, settled, was_said
from shiny_labchat.store.queries import (
    ends_of,
    event_at,
    events_as_written,
    presences_after,
    steps_after,
    triggers_after,
)
from shiny_labchat.store.schema import LAST_COUNTS, OF_STEPS, OF_TRIGGERS, event

__all__ = [
    "BARRIERS_MET",
    "CLOSED",
    "GROUPED",
    "KINDS",
    "LEFT",
    "MESSAGES",
    "PRESENCES",
    "TALK",
    "TRIGGERS",
    "Given",
    "Kind",
    "Step",
]


class Given(NamedTuple):
    """
    What a callback is given of an event.

    Parameters
    ----------
    member, author
        The id of the member whom it is about, and the name that it was shown with; None: there is
        none.
    value
        What the function takes, after the room and the member.
    """

    member: str | None
    author: str | None
    value: object


class Step(NamedTuple):
    """
    What happened to a group or to somebody in a lobby, or that a moment has come.

    Parameters
    ----------
    event
        The event.
    tries
        How often the callback has been called with it, this time included.
    """

    event: Event
    tries: int


class Kind(NamedTuple):
    """
    A kind of events, and how callbacks are called with them.

    Parameters
    ----------
    word
        What one of them is called in the server's log.
    prefix
        The beginning of the names of its callbacks: they have cursors of their own.
    takes
        The parameters of its functions.
    events
        The kinds of events that the log has of it.
    is_event
        Whether the row of an event is of one of these.
    after
        Reads such events after a seq, as they were written, oldest first; so many at most.
    whole
        Makes of such an event the one that is handled; None: it is not handled.
    given
        What a function is given of it, and of the number of the try.
    log
        What it happens in: the logs of rooms, or of lobbies.
    """

    word: str
    prefix: str
    takes: tuple[str, ...]
    events: frozenset[str]
    is_event: sa.ColumnElement[bool]
    after: Callable[[sa.Connection, int, int, int], Sequence[Event]]
    whole: Callable[[sa.Connection, int, Event], Event | None]
    given: Callable[[Event, LogKey, int], Given]
    log: LogKind = "room"

    def may_be(self, entry: Event) -> bool:
        """Whether an event is, or completes, one that is handled, as far as it tells by itself."""
        return entry.kind in self.events and (entry.kind != "message" or is_message(entry))


_SAID = ("message", "streamed")


def _said_after(conn: sa.Connection, number: int, after: int, limit: int) -> list[Event]:
    return events_as_written(conn, number, after, limit, _SAID)


def _whole_message(conn: sa.Connection, number: int, said: Event) -> Event | None:
    """The message that this event completes; None: it is not complete, was before, or is gone."""
    if said.data.get("withdrawn") or not was_said(said):
        return None
    if said.kind == "message":
        return said if is_message(said) else None
    of = said.data["of"]
    if any(end.seq < said.seq for end in ends_of(conn, number, of)):
        return None
    opening = event_at(conn, number, of)
    return None if opening is None else settled(opening, said)


def _given_message(said: Event, room: LogKey, tries: int) -> Given:
    message = replace(message_of(said, room), is_repeat=tries > 1)
    return Given(message.member, message.author, MessageText(message))


MESSAGES = Kind(
    word="message",
    prefix="",
    takes=("room", "member", "message"),
    events=frozenset(_SAID),
    is_event=event.c.kind.in_(_SAID),
    after=_said_after,
    whole=_whole_message,
    given=_given_message,
)
"""Messages, once they are complete."""


def _itself(conn: sa.Connection, number: int, entry: Event) -> Event:
    return entry


def _given_presence(entry: Event, room: LogKey, tries: int) -> Given:
    return Given(entry.member, None, entry.data["state"])


PRESENCES = Kind(
    word="presence",
    prefix="presence:",
    takes=("room", "member", "state"),
    events=frozenset(("presence",)),
    is_event=sa.and_(LAST_COUNTS, event.c.kind == "presence"),
    after=presences_after,
    whole=_itself,
    given=_given_presence,
)
"""Changes of whether members are here, idle, away or gone."""


def _given_step(entry: Event, room: LogKey, tries: int) -> Given:
    return Given(None, None, Step(entry, tries))


def _steps(word: str, events: tuple[str, ...], log: LogKind = "room") -> Kind:
    is_event = sa.and_(OF_STEPS, event.c.kind.in_(events))
    return Kind(
        word=word,
        prefix=f"{word}:",
        takes=("room", "member", "step"),
        events=frozenset(events),
        is_event=is_event,
        after=partial(steps_after, kinds=events),
        whole=_itself,
        given=_given_step,
        log=log,
    )


GROUPED = _steps("grouping", ("grouped",))
"""The forming of the group of a room, its first people."""
BARRIERS_MET = _steps("barrier", ("barrier_met",))
"""Barriers at which the people of a room have waited for each other, and go on."""
CLOSED = _steps("closing", ("closed",))
"""The closing of rooms."""
LEFT = _steps("leaving", ("left", "ended"), "lobby")
"""People who leave a lobby, or the study after they were grouped in the lobby."""


# ── moments ──────────────────────────────────────────────────────────────────────────────────

TRIGGERS = Kind(
    word="moment",
    prefix="at:",
    takes=("room", "member", "step"),
    events=frozenset(("triggered",)),
    is_event=sa.and_(OF_TRIGGERS, event.c.kind == "triggered"),
    after=triggers_after,
    whole=_itself,
    given=_given_step,
)
"""Moments of a room's time, at which something is to be done."""


def _talk_after(conn: sa.Connection, number: int, after: int, limit: int) -> list[Event]:
    return events_as_written(conn, number, after, limit, _TALK)


def _whole_of_talk(conn: sa.Connection, number: int, entry: Event) -> Event | None:
    return entry if entry.kind == "triggered" else _whole_message(conn, number, entry)


def _given_of_talk(entry: Event, room: LogKey, tries: int) -> Given:
    given = _given_step if entry.kind == "triggered" else _given_message
    return given(entry, room, tries)


_TALK = (*_SAID, "triggered")

TALK = Kind(
    word="entry",
    prefix="",
    takes=("room", "member", "message"),
    events=frozenset(_TALK),
    is_event=event.c.kind.in_(_TALK),
    after=_talk_after,
    whole=_whole_of_talk,
    given=_given_of_talk,
)
"""Messages, once they are complete, and moments: a bot reacts to one after the other."""

KINDS = (MESSAGES, PRESENCES, GROUPED, BARRIERS_MET, CLOSED, LEFT, TRIGGERS, TALK)
