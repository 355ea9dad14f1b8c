"""How much a member has sent, where a rule of the room asks for that. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shiny_labchat.domain.events import Event
from shiny_labchat.domain.membership import Membership

__all__ = ["counted", "length_of", "with_one_more"]


def counted(membership: Membership, event: Event) -> bool:
    """Whether a message counts: one that a person has written, or a bot that is shown as one."""
    if "page" in event.data:
        return True
    return membership.is_bot and event.data.get("role") == "user" and "live" not in event.data


def with_one_more(membership: Membership, event: Event, *, characters: bool) -> Membership:
    """A member who has sent one message more; `characters`: whether these are counted, too."""
    return membership._replace(
        said=membership.said + 1,
        last_said=max(membership.last_said, event.at),
        characters=membership.characters + (length_of(event.data) if characters else 0),
    )


def length_of(data: Mapping[str, Any]) -> int:
    """The number of characters in a person's message with this data, as Unicode code points."""
    return sum(len(text) for kind, text in data.get("parts", ()) if kind == "text")
