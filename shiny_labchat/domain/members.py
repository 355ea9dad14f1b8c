"""Members of a room, for programmes and app code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from shiny_labchat.arguments import as_id, check_choice
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.membership import ROLES, Membership, Role

__all__ = ["Member", "as_member_id", "as_role", "as_roles", "is_sent_away"]


@dataclass(frozen=True, slots=True)
class Member:
    """
    Someone in a room.

    Parameters
    ----------
    id
        The member's private id, as the study knows them. Never shown to participants.
    pseudonym
        The name that others see.
    role
        "participant", "observer" (reads only), "experimenter" or "assistant".
    own
        Whether this is the person whose session asked (see `Chat.members`).
    is_muted
        Whether the member may not write for now.
    """

    id: str
    pseudonym: str
    role: Role = "participant"
    own: bool = False
    is_muted: bool = False

    @classmethod
    def of(cls, membership: Membership, withdrawn: str = "") -> Member:
        """
        A membership with its real role; for this package.

        `withdrawn`: the name of somebody whose data was withdrawn.
        """
        name = withdrawn if membership.is_withdrawn else membership.pseudonym
        return cls(membership.member, name, membership.role, is_muted=membership.is_muted)

    @classmethod
    def seen_by(cls, viewer: str | None, membership: Membership) -> Member:
        """
        A membership as a viewer is shown it; for this package.

        Viewer None: one to whom nothing was disclosed.
        """
        shown = membership.role_for(viewer)
        return cls(
            membership.member,
            membership.pseudonym,
            shown,
            membership.member == viewer,
            membership.is_muted,
        )


def as_member_id(member: str | Member) -> str:
    """The id of a member who is given as an id or as a `Member`."""
    return as_id("member", member.id if isinstance(member, Member) else member)


def as_role(what: str, role: object) -> Role | None:
    """Check that the argument `what` is a role or None; return it."""
    check_choice(what, role, (*ROLES, None))
    return cast("Role | None", role)


def is_sent_away(event: Event, member: str, by: str | None) -> bool:
    """Whether an event sends away a member's page that was let in by a token of this kind."""
    return event.kind == "revoked" and event.member == member and by in event.data["kinds"]


def as_roles(what: str, roles: Role | Sequence[Role] | None) -> tuple[Role, ...] | None:
    """Check that the argument `what` is a role or several; return them. None stays None."""
    if roles is None:
        return None
    several = (roles,) if isinstance(roles, str) else roles
    if not isinstance(cast(object, several), Iterable):
        raise TypeError(f"{what} must be a role or several, not {roles!r}")
    for each in (found := tuple(several)):
        check_choice(what, each, ROLES)
    return found
