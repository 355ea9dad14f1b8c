"""The facet of a room that has to do with its members."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TypeVar

from shiny_labchat.domain import commands
from shiny_labchat.domain.members import Member, as_member_id, as_role
from shiny_labchat.domain.membership import Role
from shiny_labchat.domain.pseudonyms import Pseudonym, resolve_pseudonym
from shiny_labchat.lab.facet import RoomFacet
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.store import Outcome

__all__ = ["Members"]

T = TypeVar("T")


class Members(RoomFacet):
    """A facet of :class:`Room`; its attributes are described there."""

    async def add_member(
        self,
        member: str | Member,
        pseudonym: Pseudonym = None,
        role: Role | None = None,
    ) -> Member:
        """
        Make someone a member; a member keeps their membership.

        Parameters
        ----------
        member
            The person's id in the study, such as ``"p17"``; never shown to participants.
        pseudonym
            The name that others see: text (made unique with a number), a template such as
            ``"Player {n}"``, or a function of the member's id. None: a generated name, which
            stays the same. For someone who is a member already: a new name, or None to keep it.
        role
            "participant" (also None), "observer", "experimenter" or "assistant". For someone who
            is a member already: a new role, or None to keep it.

        Returns
        -------
        Member
            The member as they are in the room now.
        """
        id = as_member_id(member)
        wanted = as_role("role", role)
        asked = resolve_pseudonym(pseudonym, id)
        await self._join(id, asked, wanted or "participant")
        change = commands.Change(id, wanted, asked)
        return _member_in(await self.submit(change), id)

    async def join(self, member: str, pseudonym: str | None, role: Role | None) -> Member:
        """Join as a page does: never brings back a removed member; for this package."""
        outcome = await self._join(member, pseudonym, role or "participant", by_page=True)
        if role is not None and outcome.state.memberships[member].role != role:
            outcome = await self.submit(commands.Change(member, role))
        return _member_in(outcome, member)

    async def _join(
        self, member: str, pseudonym: str | None, role: Role, by_page: bool = False
    ) -> Outcome:
        handle = secrets.token_hex(4)
        return await self.submit(commands.Join(member, handle, role, pseudonym, by_page))

    async def remove_member(self, member: str | Member) -> None:
        """
        Remove a member: from this moment they can neither read nor write here.

        If this is the room of their group, their part in the study ends with "removed".
        """
        id = as_member_id(member)
        command = commands.RemoveMember(self.key.study, self.key.id, id)
        await self.once_created(lambda: self.log.submit_together(command))

    async def mute(self, member: str | Member) -> None:
        """Stop a member from writing, until :meth:`unmute`; they can still read."""
        await self.submit(commands.Mute(as_member_id(member)))

    async def unmute(self, member: str | Member) -> None:
        """Let a muted member write again."""
        await self.submit(commands.Mute(as_member_id(member), on=False))

    async def disclose(
        self, member: str | Member | None = None, *, to: Iterable[str | Member] | None = None
    ) -> None:
        """
        Disclose a bot: from now on it is shown as an assistant, also in old messages.

        Parameters
        ----------
        member
            The bot; None: all bots of the room.
        to
            The members to whom it is disclosed; None: everybody.
        """
        who = None if member is None else as_member_id(member)
        whom = None if to is None else tuple(as_member_id(each) for each in to)
        await self.submit(commands.Disclose(who, whom))

    async def members(self) -> list[Member]:
        """The members of the room now, in order of joining."""
        state = await self.state()
        gone = Runtime.of(self.log).words["withdrawn.name"]
        return [Member.of(membership, gone) for membership in state.members()]


def _member_in(outcome: Outcome, member: str) -> Member:
    return Member.of(outcome.state.memberships[member])
