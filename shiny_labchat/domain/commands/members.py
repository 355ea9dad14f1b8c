"""Commands about the members of a room. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shiny_labchat.domain.membership import Role
from shiny_labchat.domain.rules import Rules

__all__ = ["Change", "Disclose", "Join", "Mute", "Remove", "SendAway", "SetRules"]


@dataclass(frozen=True, slots=True)
class Join:
    """Make somebody a member; a current member stays as they are."""

    member: str
    handle: str
    role: Role = "participant"
    pseudonym: str | None = None
    by_page: bool = False
    """
    Whether a page or a bot joins by itself, not the app's code for it.

    Then it is refused if it was removed, and if a person has the id of a bot, or a bot a person's.
    """
    is_bot: bool = False
    shown: Role | None = None
    """The role that others are shown instead of `role`; None: `role`."""


@dataclass(frozen=True, slots=True)
class Change:
    """Give a member another role or pseudonym; None: no change."""

    member: str
    role: Role | None = None
    pseudonym: str | None = None


@dataclass(frozen=True, slots=True)
class SetRules:
    """Give a member rules of their own, of those that may be others for each."""

    member: str
    rules: Rules


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove a member, who can then neither read nor write."""

    member: str


@dataclass(frozen=True, slots=True)
class SendAway:
    """Send away the pages of a member that were let in by tokens of these kinds: revoked ones."""

    member: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mute:
    """Mute a member, who can then only read; `on` False: unmute them."""

    member: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class Disclose:
    """Show the real role of a member (None: of all) to some members (None: to all)."""

    member: str | None = None
    to: tuple[str, ...] | None = None
