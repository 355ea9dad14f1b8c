"""Commands about the members of a room. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shiny_labchat.domain.state import Role

__all__ = ["Change", "Disclose", "Join", "Mute", "Remove"]


@dataclass(frozen=True, slots=True)
class Join:
    """Make someone a member; who is one already stays as they are."""

    member: str
    handle: str
    role: Role = "participant"
    pseudonym: str | None = None
    by_page: bool = False
    """A page may not bring back who was removed, nor take a bot's place; so it is with bots."""
    is_bot: bool = False
    shown: Role | None = None
    """The role that others are shown in place of `role`; None: that."""


@dataclass(frozen=True, slots=True)
class Change:
    """Give a member another role or pseudonym; None leaves it."""

    member: str
    role: Role | None = None
    pseudonym: str | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """Take someone out of the room, for reading and writing."""

    member: str


@dataclass(frozen=True, slots=True)
class Mute:
    """Let a member read only, or write again."""

    member: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class Disclose:
    """Show the real role of a member (None: of all) to some members (None: to all)."""

    member: str | None = None
    to: tuple[str, ...] | None = None
