"""
Who hears whom in a room. Pure.

A network is directed: its edges lead from who speaks to who hears it. It has a shape, which says of
everybody whom they hear, and single edges that say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, cast, get_args

__all__ = ["SHAPES", "Edge", "Form", "Network", "Ring", "Shape", "renamed"]

Shape = Literal["full", "none", "ring", "star"]
SHAPES: tuple[Shape, ...] = get_args(Shape)

Edge = tuple[str, str]
"""The ids of somebody who speaks, and of somebody who hears them."""
Form = str | Mapping[str, Any]
"""
A network as a JSON value, as an app gives it: "full", "none", "ring", ``{"star": hub}``, or
``{"edges": [[speaker, hearer], ...]}``.
"""

_NO_EDGES: Mapping[Edge, bool] = MappingProxyType({})


class Ring(NamedTuple):
    """
    The places in a ring.

    Parameters
    ----------
    places
        Their numbers, from 0 on, by the ids of those who have or had them.
    last
        The largest number.
    """

    places: Mapping[str, int]
    last: int

    def are_neighbours(self, one: str, other: str) -> bool:
        """Whether the places of two members are side by side, or are the same."""
        if one not in self.places or other not in self.places:
            return False
        return abs(self.places[one] - self.places[other]) in (0, 1, self.last)


class Network(NamedTuple):
    """
    Who hears whom.

    Parameters
    ----------
    shape
        All hear all ("full"), nobody hears anybody ("none"), everybody hears the one who has come
        before them and the one who has come after them, and the last one and the first one each
        other ("ring"), or the hub hears all and all hear the hub ("star").
    hub
        The id of the hub of a star.
    edges
        The edges that are there (True) or not (False), whatever the shape says.
    """

    shape: Shape = "full"
    hub: str | None = None
    edges: Mapping[Edge, bool] = _NO_EDGES

    @classmethod
    def of(cls, form: object) -> Network:
        """The network of a form; of one that only a newer version knows, nobody hears anybody."""
        if form in ("full", "none", "ring"):
            return cls(cast(Shape, form))
        given = cast("Mapping[str, object]", form if isinstance(form, Mapping) else {})
        hub = given.get("star")
        if isinstance(hub, str):
            return cls("star", hub)
        return cls("none").changed(_pairs(given.get("edges")), on=True)

    @property
    def form(self) -> Form:
        """The network as it is given; one that was changed since also says in what."""
        base: Form = {"star": self.hub} if self.shape == "star" else self.shape
        if not self.edges:
            return base
        there = [list(edge) for edge, is_there in self.edges.items() if is_there]
        gone = [list(edge) for edge, is_there in self.edges.items() if not is_there]
        if self.shape == "none" and not gone:
            return {"edges": there}
        return {"shape": base, "connected": there, "disconnected": gone}

    @property
    def is_full(self) -> bool:
        """Whether everybody hears everybody."""
        return self.shape == "full" and not self.edges

    def changed(self, edges: Iterable[Edge], *, on: bool) -> Network:
        """The network with edges that are there from now on, or are not."""
        changed = {**self.edges, **dict.fromkeys(edges, on)}
        if self.shape == "full":  # then only those that are not there say something
            changed = {edge: False for edge, is_there in changed.items() if not is_there}
        return self._replace(edges=changed)

    def replaced(self, old: str, new: str) -> Network:
        """The network when somebody has taken the place of somebody else."""

        def now(member: str) -> str:
            return new if member == old else member

        hub = None if self.hub is None else now(self.hub)
        edges = {(now(one), now(other)): on for (one, other), on in self.edges.items()}
        return self._replace(hub=hub, edges=edges)

    def has(self, speaker: str, hearer: str, ring: Ring | None) -> bool:
        """Whether there is an edge from one to the other; `ring`: the places, if it is one."""
        known = self.edges.get((speaker, hearer))
        if known is not None:
            return known
        match self.shape:
            case "full":
                return True
            case "none":
                return False
            case "star":
                return self.hub in (speaker, hearer)
            case "ring":
                return ring is not None and ring.are_neighbours(speaker, hearer)

    def is_limited_for(self, speaker: str) -> bool:
        """Whether an edge from somebody was taken away."""
        return any(edge[0] == speaker and not is_there for edge, is_there in self.edges.items())


def _pairs(edges: object) -> list[Edge]:
    """The edges of a form that are pairs of ids."""
    found: list[Edge] = []
    for edge in cast("Sequence[object]", edges if isinstance(edges, list | tuple) else ()):
        match edge:
            case [str(speaker), str(hearer)] if speaker != hearer:
                found.append((speaker, hearer))
            case _:
                pass
    return found


def renamed(form: Form, of: Callable[[str], str]) -> Form:
    """A form in which members have other ids; `of` gives the id in place of one."""
    if isinstance(form, str):
        return form
    changed = dict(form)
    if isinstance(form.get("star"), str):
        changed["star"] = of(form["star"])
    if "edges" in form:
        edges = cast("Sequence[Sequence[str]]", form["edges"])
        changed["edges"] = [[of(each) for each in edge] for edge in edges]
    return changed
