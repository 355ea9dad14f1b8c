"""Checks that all rules share, and the making of events. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from shiny_labchat.domain.events import Event, Part
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.state import RoomState
from shiny_labchat.errors import Refused

__all__ = ["Rule", "check_storable", "check_text", "member_of", "new_event", "strings_of"]

Rule = Callable[..., list[Event]]
"""Takes a room's state, a command of one type, and the time; returns the events, see `decide`."""


def member_of(state: RoomState, member: str) -> Membership:
    """The membership of a current member; refused for anybody else."""
    membership = state.memberships.get(member)
    if membership is None:
        raise Refused("not_member", member=member)
    if membership.is_removed:
        raise Refused("removed", member=member)
    return membership


def check_text(text: str) -> None:
    """Refuse a person's text if it has control characters or lone surrogates."""
    if _UNWRITABLE.search(text):
        raise Refused("bad_text")


_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Unicode's categories Cc (except tab, LF and CR) and Cs."""


def check_storable(*texts: str) -> None:
    """Refuse texts that no database takes: with NUL characters or lone surrogates."""
    for text in texts:
        if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
            raise Refused("bad_text")


def strings_of(parts: Iterable[Part]) -> list[str]:
    """The contents of a message's parts, as texts."""
    return [content if isinstance(content, str) else repr(content) for _, content in parts]


def new_event(
    state: RoomState,
    at: int,
    kind: str,
    member: str | None = None,
    data: Mapping[str, Any] | None = None,
    cid: str | None = None,
) -> Event:
    """The next event of a room; its seq follows the state's."""
    return Event(state.seq + 1, at, kind, member, data or {}, cid)
