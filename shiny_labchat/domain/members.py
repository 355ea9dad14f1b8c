"""Members of a room, for programmes and app code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from shiny_labchat.arguments import as_id
from shiny_labchat.domain.state import ROLES, Membership, Role

__all__ = ["Member", "as_member_id", "as_roles"]


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
    def of(cls, membership: Membership) -> Member:
        """A membership with its real role; for this package."""
        return cls(
            membership.member, membership.pseudonym, membership.role, is_muted=membership.is_muted
        )

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


def as_roles(role: Role | Sequence[Role] | None) -> tuple[Role, ...] | None:
    """Roles, given as one role or several, as a tuple; None stays None."""
    if role is None:
        return None
    roles = (role,) if isinstance(role, str) else tuple(role)
    for each in roles:
        if each not in ROLES:
            raise ValueError(f"role must be one of {', '.join(ROLES)}; not {each!r}")
    return cast("tuple[Role, ...]", roles)
