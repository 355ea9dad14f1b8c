"""The facet of a room that has to do with who hears whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from shiny_labchat.domain import commands
from shiny_labchat.domain.given_network import as_edges
from shiny_labchat.domain.members import Member, as_member_id
from shiny_labchat.domain.network import Edge
from shiny_labchat.lab.facet import RoomFacet

__all__ = ["Connecting"]

Edges = Mapping[str | Member, Iterable[str | Member]]
"""By who speaks, those who hear them."""


class Connecting(RoomFacet):
    """A facet of :class:`Room`."""

    async def connect(self, a: str | Member | Edges, b: str | Member | None = None) -> None:
        """
        Have `b` hear `a`, from the next message on.

        Words go from `a` to `b` only: for both directions, connect both. What `b` may see of what
        was said before stays the same. From now on `b` is also shown that `a` is there, and when
        `a` types.

        Parameters
        ----------
        a
            A member who speaks. Or a mapping of members who speak to lists of those who hear them,
            such as ``{"ann": ["bob", "eve"]}``: all of it at once.
        b
            The member who hears `a`.

        Raises
        ------
        Refused
            ``not_member``: one of them was never a member.

        Notes
        -----
        This concerns those who take part: people, and bots too. Observers and experimenters hear
        everybody, whatever is connected. The programme's messages, and experimenters', are heard
        by everybody; a message with an `audience=` by its audience.
        """
        await self.submit(commands.Connect(_edges(a, b)))

    async def disconnect(self, a: str | Member | Edges, b: str | Member | None = None) -> None:
        """
        Have `b` hear `a` no more, from the next message on; see :meth:`connect`.

        What `b` has heard stays. `a` goes on hearing `b`, if they do.

        Parameters
        ----------
        a, b
            As in :meth:`connect`.

        Raises
        ------
        Refused
            ``not_member``: one of them was never a member.
        """
        await self.submit(commands.Connect(_edges(a, b), on=False))


def _edges(a: object, b: object) -> list[Edge]:
    if isinstance(a, Mapping):
        if b is not None:
            raise TypeError("give a mapping of who speaks to those who hear them, or two members")
        return as_edges(cast("Mapping[Any, Any]", a))
    if b is None:
        raise TypeError(
            "give two members, the one who speaks and the one who hears them, or a mapping such as "
            "{'ann': ['bob', 'eve']}"
        )
    return [(as_member_id(cast(Any, a)), as_member_id(cast(Any, b)))]
